-- For wrk: the same question again and again. Argument: its path.

dofile("report.lua")

function init(arguments)
  question = wrk.format("GET", arguments[1], {["Authorization"] = wrk.headers["Authorization"]})
end

function request() return question end
