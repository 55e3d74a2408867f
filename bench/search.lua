-- For wrk: asks the search in its argument, with 1 … 9 in turn in the place of N.

dofile("report.lua")

local function encode(text)
  return (text:gsub("[^%w._-]", function(c) return string.format("%%%02X", c:byte()) end))
end

function init(arguments)
  question = arguments[1]
  asked = 0
end

function request()
  asked = asked + 1
  local query = question:gsub("N", tostring(asked % 9 + 1))
  return wrk.format("GET", "/api/v1/search?limit=100&q=" .. encode(query),
                    {["Authorization"] = wrk.headers["Authorization"]})
end
