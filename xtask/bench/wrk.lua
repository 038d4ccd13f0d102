-- Arguments: method, path, bytes of body, "close" or "keep-alive", number of hosts, "hit" or "miss".

local requests = {}
local turn = 0

function init(arguments)
   local method, path, body_bytes, connection, hosts, kind = unpack(arguments)
   wrk.method = method
   wrk.path = path
   if tonumber(body_bytes) > 0 then
      wrk.body = string.rep("a", tonumber(body_bytes))
   end
   if connection == "close" then
      wrk.headers["Connection"] = "close"
   end
   for number = 1, tonumber(hosts) do
      wrk.headers["Host"] = (kind == "hit" and "h" or "absent") .. (number - 1) .. ".bench.test"
      requests[number] = wrk.format()
   end
   shuffle(requests)
   -- With one request only, wrk sends it without asking.
   if #requests > 1 then
      request = function()
         turn = turn % #requests + 1
         return requests[turn]
      end
   end
end

function shuffle(list)
   math.randomseed(7)
   for last = #list, 2, -1 do
      local other = math.random(last)
      list[last], list[other] = list[other], list[last]
   end
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      'RESULT {"microseconds":%d,"requests":%d,"p50":%d,"p99":%d,"status":%d,"socket":%d,"timeout":%d}\n',
      summary.duration, summary.requests, latency:percentile(50), latency:percentile(99),
      errors.status, errors.connect + errors.read + errors.write, errors.timeout))
end
