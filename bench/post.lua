-- For wrk: the same question again and again, in a body. Arguments: its path and the JSON.

dofile("report.lua")

function init(arguments)
  question = wrk.format("POST", arguments[1],
                        {["Authorization"] = wrk.headers["Authorization"],
                         ["Content-Type"] = "application/json"}, arguments[2])
end

function request() return question end
