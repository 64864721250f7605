/// The algorithms in Lua. `SharedLimitState` says the same in Swift.
extension SharedLimitScript {
    /// One number of state each: when the bucket is full, the queue empty, the window over.
    static let buckets = """
        -- Microseconds until the bucket is full. At another rate as many tokens are missing, rounded up.
        local function debt(s, r)
          local d = s[1] - now
          if d <= 0 then return 0 end
          if s[2] ~= p[r + 2] and p[r] == \(bucket) then
            return min(min(floor((d + s[2] - 1) / s[2]), p[r + 1]) * p[r + 2], p[r + 3])
          end
          return d < \(most) and d or \(most)
        end

        local month, calendar
        if has[\(fixed)] then
          function month()
            local days = floor(now / 86400000000)
            local z = days + 719468
            local era = floor(z / 146097)
            local doe = z - era * 146097
            local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) - floor(doe / 146096)) / 365)
            local doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))
            local mp = floor((5 * doy + 2) / 153)
            local day = doy - floor((153 * mp + 2) / 5) + 1
            local m = mp < 10 and mp + 3 or mp - 9
            local year = yoe + era * 400 + (m <= 2 and 1 or 0)
            local leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
            local length = ({31, leap and 29 or 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31})[m]
            return (days - day + 1 + length) * 86400000000
          end

          -- The end of the calendar's window; a period of 0 is a month.
          function calendar(r)
            local period = p[r + 2]
            if period == 0 then return month() end
            return now - (now - p[r + 3]) % period + period
          end
        end

        """

    /// Sub-windows, oldest first; what has passed is dropped when the key is read.
    static let windows = """
        local readWindow, chargeWindow, refundWindow, levelWindow, writeWindow
        if has[\(window)] then
          function readWindow(k)
            local v = value(k)
            local s = {step = 0, ring = 0, total = 0, index = {}, count = {}}
            if not v or #v < 4 then return s end
            s.step, s.ring = v[1], v[2]
            local passed, at = floor(now / s.step) - s.ring, 0
            for i = 3, #v, 2 do
              at = at + v[i]
              if at > passed then
                s.index[#s.index + 1], s.count[#s.count + 1] = at, v[i + 1]
                s.total = s.total + v[i + 1]
              end
            end
            return s
          end

          function chargeWindow(s, r, units)
            local step, ring = p[r + 2], p[r + 3]
            local at = floor(now / step)
            if s.total == 0 or s.step ~= step or s.ring ~= ring then
              -- In other steps all that counts counts as if it came now.
              s.step, s.ring, s.index, s.count = step, ring, {at}, {s.total}
            end
            local n = #s.index
            if s.index[n] < at then
              n = n + 1
              s.index[n], s.count[n] = at, 0
            end
            s.count[n], s.total = min(s.count[n] + units, \(most)), min(s.total + units, \(most))
          end

          function refundWindow(s, r, units, mark)
            local step, ring = p[r + 2], p[r + 3]
            if s.step ~= step or s.ring ~= ring then return end
            local at = floor(mark / step) - ring
            for n = #s.index, 1, -1 do
              if s.index[n] == at then
                local taken = min(units, s.count[n])
                s.count[n], s.total = s.count[n] - taken, s.total - taken
                if s.count[n] == 0 then
                  table.remove(s.index, n)
                  table.remove(s.count, n)
                end
                return
              end
            end
          end

          function levelWindow(s, r, wanted)
            local n, left = #s.index, max(p[r + 1] - s.total, 0)
            local reset = n > 0 and (s.index[n] + s.ring) * s.step - now or 0
            if wanted > p[r + 1] then return left, reset, -1 end
            if wanted <= left then return left, reset, 0 end
            local need = s.total - (p[r + 1] - wanted)
            for i = 1, n do
              need = need - s.count[i]
              if need <= 0 then return left, reset, (s.index[i] + s.ring) * s.step - now end
            end
          end

          function writeWindow(k, s)
            local n = #s.index
            if n == 0 then return nil, 0 end
            local v, at = {s.step, s.ring}, 0
            for i = 1, n do
              v[#v + 1], v[#v + 2] = s.index[i] - at, s.count[i]
              at = s.index[i]
            end
            return v, (at + s.ring) * s.step - now
          end
        end

        """

    /// `length` moments in the list, then `added` that are all `newest`.
    static let logs = """
        local readLog, moment, counted, chargeLog, refundLog, levelLog, writeLog
        if has[\(log)] then
          function readLog(k, r)
            local s = {length = 0, added = 0, newest = 0, keep = p[r + 4]}
            while true do
              local oldest = redis.pcall('LRANGE', KEYS[k], 0, 15)
              if oldest.err then
                redis.call('DEL', KEYS[k])
                return s
              end
              local passed = 0
              while passed < #oldest and oldest[passed + 1] + s.keep <= now do passed = passed + 1 end
              if passed > 0 then redis.call('LTRIM', KEYS[k], passed, -1) end
              if #oldest == 0 then return s end
              if passed < #oldest then break end
            end
            s.length = redis.call('LLEN', KEYS[k])
            s.newest = tonumber(redis.call('LINDEX', KEYS[k], -1))
            return s
          end

          -- The moment of a unit, counted from the oldest, which is 1.
          function moment(k, s, i)
            return i > s.length and s.newest or tonumber(redis.call('LINDEX', KEYS[k], i - 1))
          end

          -- Units that count: all that are kept, but by a shorter period than the limit's longest.
          function counted(k, s, r)
            local n, period = s.length + s.added, p[r + 2]
            if n == 0 or period >= s.keep then return n end
            local low, high = 1, n + 1
            while low < high do
              local middle = floor((low + high) / 2)
              if moment(k, s, middle) + period > now then high = middle else low = middle + 1 end
            end
            return n + 1 - low
          end

          function chargeLog(k, s, units)
            s.newest = max(now, s.newest)
            s.added = min(s.added + units, 1024)
            if s.length + s.added > 1024 then
              redis.call('LTRIM', KEYS[k], s.length + s.added - 1024, -1)
              s.length = 1024 - s.added
            end
          end

          function refundLog(k, s, r, units, mark)
            local at = mark - p[r + 2]
            if at == s.newest then
              local taken = min(units, s.added)
              s.added, units = s.added - taken, units - taken
            end
            if units > 0 and s.length > 0 then
              s.length = s.length - redis.call('LREM', KEYS[k], -units, string.format('%d', at))
            end
            if s.added == 0 then
              s.newest = s.length > 0 and tonumber(redis.call('LINDEX', KEYS[k], -1)) or 0
            end
          end

          function levelLog(k, s, r, n, wanted)
            local quota, period = p[r + 1], p[r + 2]
            local left = max(quota - n, 0)
            local reset = n > 0 and s.newest + period - now or 0
            if wanted > quota then return left, reset, -1 end
            if wanted <= left then return left, reset, 0 end
            local at = s.length + s.added - (quota - wanted)
            return left, reset, moment(k, s, at) + period - now
          end

          function writeLog(k, s)
            if s.length + s.added == 0 then return redis.call('DEL', KEYS[k]) end
            local rest = s.added
            while rest > 0 do
              local part = {}
              for i = 1, min(rest, 128) do part[i] = s.newest end
              redis.call('RPUSH', KEYS[k], unpack(part))
              rest = rest - #part
            end
            local left = s.newest + s.keep - now
            redis.call('PEXPIRE', KEYS[k], floor(left / 1000) + slack)
          end
        end

        """
}
