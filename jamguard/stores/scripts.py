"""What is done inside Redis: Lua, so that each operation is one round trip and atomic.

The time is that of Redis, in microseconds, so machines whose clocks differ agree. A clock of
Redis that is set back by less than a window changes nothing; by more, counts begin anew.

Source: redis.io/docs/latest/develop/programmability/eval-intro
"""

from typing import Final

#: a sliding window out of two whole ones: see `ProcessStore`.
#: KEYS: the counter. ARGV: limit, period, weight. Returns left, microseconds.
COUNT: Final = """
local limit, period, weight = tonumber(ARGV[1]), ARGV[2] * 1000000, tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local window, elapsed = math.floor(now / period), now % period
local last, before, current =
    string.match(redis.call('GET', KEYS[1]) or '', '(%d+) (%d+) (%d+)')
last, before, current = tonumber(last or 0), tonumber(before or 0), tonumber(current or 0)
if last == window + 1 then
  window, elapsed = last, 0
elseif last ~= window then
  before, current = last == window - 1 and current or 0, 0
end
local needed = math.max(weight, 1)
local room = limit - before * (1 - elapsed / period) - current
if room >= needed then
  if weight > 0 then
    local value = string.format('%d %d %d', window, before, current + weight)
    redis.call('SET', KEYS[1], value, 'PX', math.ceil((2 * period - elapsed) / 1000))
  end
  return {math.floor(room - weight), period - elapsed}
end
if weight > limit then
  return {-1, 2 * period - elapsed}
end
local free = limit - needed - current
if free >= 0 then
  return {-1, math.max(0, period * (1 - free / before) - elapsed)}
end
return {-1, period - elapsed + period * (1 - (limit - needed) / current)}
"""

#: the time of every hit, for limits of a few: exact in any window.
#: KEYS: the log. ARGV: limit, period, weight. Returns left, microseconds.
LOG: Final = """
local limit, period, weight = tonumber(ARGV[1]), ARGV[2] * 1000000, tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local alive = {}
for moment in string.gmatch(redis.call('GET', KEYS[1]) or '', '%d+') do
  if now - period < tonumber(moment) and tonumber(moment) <= now + 1000000 then
    table.insert(alive, moment)
  end
end
table.sort(alive)
local left = limit - #alive - math.max(weight, 1)
if left < 0 then
  if weight > limit then
    return {-1, 2 * period}
  end
  -- the hit that has to grow old before this one fits
  return {-1, math.max(0, period - (now - alive[-left]))}
end
if weight == 0 then
  return {left + 1, period - (now - (alive[1] or now))}
end
for _ = 1, weight do
  table.insert(alive, string.format('%.0f', now))
end
redis.call('SET', KEYS[1], table.concat(alive, ' '), 'PX', period / 1000)
return {left, period - (now - alive[1])}
"""

#: a mark, and beside it all marks of its kind by the end of their lives.
#: KEYS: the mark, the list. ARGV: key, milliseconds to live, value, how many at most, what
#: the names of marks begin with.
PUT: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('ZREM', KEYS[2], ARGV[1])
local over = redis.call('ZCARD', KEYS[2]) + 1 - ARGV[4]
if over > 0 then
  local soonest = redis.call('ZPOPMIN', KEYS[2], over)
  for at = 1, #soonest, 2 do
    redis.call('DEL', ARGV[5] .. soonest[at])
  end
end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])
redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[2], last[2])
"""

#: KEYS: the mark. Returns its value and the milliseconds that it has to live.
GET: Final = """
return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}
"""

#: KEYS: the mark, the list. ARGV: key. Returns how many there were.
REMOVE: Final = """
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('DEL', KEYS[1])
"""

#: KEYS: the list. ARGV: what the names of marks begin with. Returns key, value, milliseconds
#: of each.
ALL: Final = """
local marks = {}
for _, key in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local value = redis.call('GET', ARGV[1] .. key)
  if value then
    table.insert(marks, {key, value, redis.call('PTTL', ARGV[1] .. key)})
  end
end
return marks
"""
