-- For wrk: each request logs a batch of metrics to a run, at a step that this run has not had.
-- Arguments: the number of threads, how many metrics a batch has, the path of the requests with a
-- %s for the run, a word that says how a body is written (mendel, mlflow), and the runs' ids.

dofile("report.lua")

local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("thread_number", threads)
end

-- A body is made of pieces that stay and, between them, the step.
local bodies = {}

function bodies.mendel(size)
  local pieces = {'{"metrics":['}
  for i = 1, size do
    pieces[#pieces] = pieces[#pieces] .. string.format(
      '%s{"name":"layer_%d/loss","value":%.6f,"time":"2024-02-13T00:00:00Z","step":',
      i > 1 and "}," or "", i, 0.1 + i / 7)
    pieces[#pieces + 1] = ""
  end
  pieces[#pieces] = "}]}"
  return pieces
end

function bodies.mlflow(size, run)
  local pieces = {string.format('{"run_id":"%s","metrics":[', run)}
  for i = 1, size do
    pieces[#pieces] = pieces[#pieces] .. string.format(
      '%s{"key":"layer_%d/loss","value":%.6f,"timestamp":1707782400000,"step":',
      i > 1 and "}," or "", i, 0.1 + i / 7)
    pieces[#pieces + 1] = ""
  end
  pieces[#pieces] = '}],"params":[],"tags":[]}'
  return pieces
end

-- Beyond those of an earlier second: a run may be logged to more than once.
local first_step = (os.time() - 1700000000) * 10000

-- Each thread has runs of its own. A thread begins before the others are known of.
function init(arguments)
  local thread_count, size = tonumber(arguments[1]), tonumber(arguments[2])
  local path, dialect = arguments[3], arguments[4]
  runs = {}
  for i = 4 + thread_number, #arguments, thread_count do
    runs[#runs + 1] = {path = path:format(arguments[i]), step = first_step,
                       pieces = bodies[dialect](size, arguments[i])}
  end
  headers = {["Authorization"] = wrk.headers["Authorization"],
             ["Content-Type"] = "application/json"}
  sent = 0
end

function request()
  sent = sent + 1
  local run = runs[sent % #runs + 1]
  run.step = run.step + 1
  return wrk.format("POST", run.path, headers, table.concat(run.pieces, string.format("%d", run.step)))
end
