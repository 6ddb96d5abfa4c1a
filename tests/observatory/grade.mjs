// Grades answers that were recorded, without a network: MDN HTTP Observatory's own tests and
// scores. Reads {host, http, https, cors, body, cookies, route} as JSON, writes the grade.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PACKAGE = new URL("node_modules/@mdn/mdn-http-observatory/", import.meta.url);
// its installation downloads the preload list; no host of a test is in it
const preloaded = fileURLToPath(new URL("conf/hsts-preload.json", PACKAGE));
if (!existsSync(preloaded)) writeFileSync(preloaded, "{}");

const load = (path) => import(new URL(`src/${path}`, PACKAGE));
const { ALL_TESTS, ALGORITHM_VERSION } = await load("constants.js");
const { MINIMUM_SCORE_FOR_EXTRA_CREDIT } = await load("grader/charts.js");
const { getGradeForScore, getScoreModifier } = await load("grader/grader.js");
const { parseHttpEquivHeaders } = await load("retriever/utils.js");
const { Session } = await load("retriever/session.js");
const { Requests } = await load("types.js");
const { AxiosHeaders } = await import("axios");

const recorded = JSON.parse(readFileSync(0, "utf8"));
const answer = ({ status, headers }) => {
  const made = new AxiosHeaders();
  for (const [name, value] of headers)
    made.set(name, name.toLowerCase() === "set-cookie" ? [value] : value);
  return {
    status,
    headers: made,
    request: { headers: new AxiosHeaders({ Origin: "https://observatory.example.com" }) },
    verified: true,
  };
};

const url = new URL(`https://${recorded.host}/`);
const requests = new Requests(recorded.host);
requests.session = new Session(url);
for (const cookie of recorded.cookies) requests.session.jar.setCookieSync(cookie, url.href);
requests.resources.path = recorded.body;
const { responses } = requests;
responses.http = answer(recorded.http);
responses.https = answer(recorded.https);
responses.auto = answer(recorded.https);
responses.auto.httpEquiv = parseHttpEquivHeaders(recorded.body, url.href);
responses.cors = answer(recorded.cors);
responses.httpRedirects = recorded.route.map((step) => ({ url: new URL(step), status: 302 }));

// as `scan` in its src/scanner/index.js adds up
const results = {};
let [score, penalties] = [100, 100];
for (const test of ALL_TESTS) {
  const { result, constructor } = test(requests);
  if (!result) continue;
  const modifier = getScoreModifier(result);
  score += modifier;
  penalties += Math.min(modifier, 0);
  results[constructor.name] = [result, modifier];
}
if (penalties < MINIMUM_SCORE_FOR_EXTRA_CREDIT) score = penalties;
console.log(JSON.stringify({ ...getGradeForScore(score), ALGORITHM_VERSION, results }));
