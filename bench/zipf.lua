-- Draws targets for wrk: 10,000 numbers behind the URL's path, the n-th most popular one in proportion to 1/n.
--
-- The draws are made before the load begins, so that a request costs wrk little more than a fixed one.

local urls, draws = 10000, 65536
local requests, next = {}, 0

function init()
   math.randomseed(1)
   local sums, sum = {}, 0
   for rank = 1, urls do
      sum = sum + 1 / rank
      sums[rank] = sum
   end
   for i = 0, draws - 1 do
      local wanted, low, high = math.random() * sum, 1, urls
      while low < high do
         local middle = math.floor((low + high) / 2)
         if sums[middle] < wanted then low = middle + 1 else high = middle end
      end
      requests[i] = wrk.format("GET", wrk.path .. (low - 1))
   end
end

function request()
   next = (next + 1) % draws
   return requests[next]
end
