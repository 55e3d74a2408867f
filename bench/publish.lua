-- For wrk: each request publishes a version that nobody has published, with a manifest of its own,
-- to one of `artifacts` artifacts. Arguments: artifacts, the digest and the size of a blob that the
-- namespace has, and a word that no earlier run has used.

dofile("report.lua")

local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("thread_number", #threads)
  for _, other in ipairs(threads) do other:set("thread_count", #threads) end
end

function init(arguments)
  artifacts = tonumber(arguments[1])
  digest, size, run = arguments[2], arguments[3], arguments[4]
  published = 0
end

function request()
  published = published + 1
  local artifact = (published * thread_count + thread_number) % artifacts
  local body = string.format(
    '{"files": [{"path": "%s-%d-%d.so", "digest": "%s", "size": %s}], "message": "retrained"}',
    run, thread_number, published, digest, size)
  return wrk.format("POST", "/api/v1/models/bench/m" .. artifact .. "/versions",
                    {["Authorization"] = wrk.headers["Authorization"],
                     ["Content-Type"] = "application/json"}, body)
end
