-- For wrk: each request leases a job. Ids of jobs that were given go to a file of each thread.
-- Arguments: a folder for the files, and the queue.

dofile("report.lua")

local count = 0

function setup(thread)
  count = count + 1
  thread:set("thread_number", count)
end

function init(arguments)
  given = io.open(string.format("%s/%d", arguments[1], thread_number), "a")
  body = string.format('{"queue": "%s", "agent": "bench", "lease_seconds": 3600}', arguments[2])
end

function request()
  return wrk.format("POST", "/api/v1/jobs/lease",
                    {["Authorization"] = wrk.headers["Authorization"],
                     ["Content-Type"] = "application/json"}, body)
end

function response(status, headers, answer)
  given:write(status == 200 and string.match(answer, '"id":"([%x-]+)"') or "none", "\n")
  given:flush()
end
