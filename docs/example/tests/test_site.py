"""What this site promises, checked at each push."""

from jamguard.testing import assert_hardened

CALL = ["load", 1, 0, None, 0]


def test_a_stranger_gets_nothing(hardened):
    assert_hardened(hardened.application)


def test_the_application_wants_a_login(hardened):
    answer = hardened.post("/api", json=CALL)
    assert answer.json["result"]["status"] == 5  # Jam.py's word for "not logged in"
    assert hardened.get("/").location == "/login.html"


def test_who_guesses_passwords_has_to_wait(hardened):
    form = {"login": "clerk", "password": "wrong"}
    for _ in range(5):
        assert hardened.post("/login.html", data=form).status_code == 200
    assert hardened.post("/login.html", data=form).status_code == 429
    hardened.clock.move(61)
    assert hardened.post("/login.html", data=form).status_code == 200


def test_a_client_that_asks_too_much_is_slowed_down_and_its_neighbour_is_not(hardened):
    for _ in range(600):
        assert "Jamguard-Refused" not in hardened.post("/api", json=CALL).headers
    assert hardened.post("/api", json=CALL).headers["Jamguard-Refused"] == "rate-limit"
    hardened.address = "192.0.2.2"
    assert "Jamguard-Refused" not in hardened.post("/api", json=CALL).headers


def test_no_test_feels_what_another_has_done(hardened):
    assert "Jamguard-Refused" not in hardened.post("/api", json=CALL).headers
