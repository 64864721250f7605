-- Has wrk send 32 requests at once and wait for their answers: they cost it so little that several workers are kept busy.

local requests

function init()
   requests = string.rep(wrk.format(), 32)
end

function request()
   return requests
end
