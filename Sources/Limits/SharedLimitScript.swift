/// The script that Redis runs for shared limits: many decisions in one call, each of all or none of its limits.
///
/// `KEYS` are the keys of limits (`LimitPolicy.appendSharedKey`), each once. `ARGV[1]` is what `SharedLimitBatch`
/// writes, a MessagePack array of integers; the answer is another one, which `SharedLimitReply` reads. The
/// clock is that of Redis, read once, in microseconds since the Unix epoch; all numbers are integers below 2⁵³,
/// which Lua holds exactly. `SharedLimitModel` is the same arithmetic in Swift.
///
/// Keys are read with one command, decisions change tables of Lua, and what has changed is written back at the
/// end with an expiry: a key that many decisions ask for is read and written once. What a key holds:
///
/// | algorithm | value | counts until |
/// | --- | --- | --- |
/// | token bucket, leaky bucket | TAT, interval | the TAT |
/// | sliding window | sub-window's length, ring, index and count of the oldest, then gap and count of each | the ring has passed |
/// | fixed window | end, count | the end |
/// | sliding log | a list: the moment of each unit, oldest first | the longest period of its limit's rates |
///
/// But for the log all are MessagePack arrays in a string. Values that are none, or missing, count as nothing.
///
/// Redis makes every function anew in each run, calls of functions are what Lua is slow at, and it computes nothing before the
/// run: so algorithms that no rate has are left out, most decisions are made without a function, what is computed once is
/// handed on, and numbers stand where names of constants would.
///
/// Keys expire a second after their value says the same as none: Redis counts expiries from another reading of
/// its clock.
public enum SharedLimitScript {
    /// The text.
    public static let text = text(clock: "redis.call('TIME')")

    /// The text with another clock, an expression for a pair of seconds and microseconds, and milliseconds
    /// that keys are kept longer. For tests.
    static func text(clock: String, slack: Int = 1000) -> String {
        "local time, slack = \(clock), \(slack)\n" + reading + windows + logs + simple
            + "if p[i] then\n" + buckets + general + "end\n" + writing
    }

    static let bucket = SharedLimitRate.Kind.bucket.rawValue
    static let window = SharedLimitRate.Kind.window.rawValue
    static let log = SharedLimitRate.Kind.log.rawValue
    static let fixed = SharedLimitRate.Kind.fixed.rawValue
    static let leaky = SharedLimitRate.Kind.leaky.rawValue
    static let most = SharedLimitRate.most

    /// What comes in, and what keys hold.
    private static let reading = """
        local floor, min, max = math.floor, math.min, math.max
        local now = time[1] * 1000000 + time[2]
        local p = cmsgpack.unpack(ARGV[1])
        local values = redis.call('MGET', unpack(KEYS))
        local states, dirty, out, n = {}, {}, {now}, 1
        -- Kinds of limits that are there; what a rate's numbers are is said by SharedLimitRate.
        local has = {}
        for r = 2, 5 * p[1] + 1, 5 do has[p[r]] = true end

        local function value(k)
          local text = values[k]
          if not text then return nil end
          local ok, v = pcall(cmsgpack.unpack, text)
          if not ok or type(v) ~= 'table' or #v < 2 then return nil end
          for i = 1, #v do
            local number = v[i]
            if type(number) ~= 'number' or number < 0 or number > \(2 * most) or number % 1 ~= 0 then
              return nil
            end
          end
          return v
        end

        """

    /// Most decisions: one limit that is no shadow, a bucket that keeps its rate or is full. What the functions of the
    /// general way do is done here without them, and they are not made when nothing else is asked.
    private static let simple = """
        local i = 2 + 5 * p[1]
        while p[i] == 1 and p[i + 1] == 0 do
          local k, r, units = p[i + 2], 5 * p[i + 3] + 2, p[i + 4]
          if p[r] ~= \(bucket) or units == 0 then break end
          local s = states[k]
          if not s then
            s = value(k) or {0, 0}
            states[k] = s
          end
          local step, span, h, after = p[r + 2], p[r + 3], s[1] - now, 0
          if h < 0 then h = 0 elseif h > \(most) then h = \(most) end
          if h > 0 and s[2] ~= step then break end
          local cost, room = units * step, span - h
          local passes = cost <= room
          if passes then
            h, room = h + cost, room - cost
            s[1], s[2], dirty[k] = now + h, step, \(bucket)
          end
          if cost > span then after = -1 elseif cost > room then after = cost - room end
          local left = room > 0 and (room - room % step) / step or 0
          out[n + 1], out[n + 2], out[n + 3] = passes and left or -1 - left, h, after
          n, i = n + 3, i + 5
        end

        """

    /// One way into all algorithms, and the loop over what was asked.
    private static let general = """
        local function state(k, r)
          local kind, s = p[r]
          if kind == \(window) then s = readWindow(k)
          elseif kind == \(log) then s = readLog(k, r)
          else s = value(k) or {0, 0} end
          states[k] = s
          return s
        end

        -- What counts now: microseconds that a bucket lacks or a queue holds, elsewhere units.
        local function held(k, s, r)
          local kind = p[r]
          if kind == \(bucket) or kind == \(leaky) then return debt(s, r) end
          if kind == \(window) then return s.total end
          if kind == \(fixed) then return s[1] > now and s[2] or 0 end
          return counted(k, s, r)
        end

        local function fits(r, h, units)
          local kind = p[r]
          if units == 0 then return true end
          if kind == \(bucket) then return h + units * p[r + 2] <= p[r + 3] end
          if kind == \(leaky) then return h + (units - 1) * p[r + 2] <= p[r + 3] end
          return h + units <= p[r + 1]
        end

        -- Returns what counts then.
        local function charge(k, s, r, h, units)
          if units == 0 then return h end
          local kind = p[r]
          dirty[k] = kind
          if kind == \(bucket) or kind == \(leaky) then
            local step = p[r + 2]
            h = h + units * step
            if h > \(most) then h = \(most) end
            s[1], s[2] = now + h, step
            return h
          end
          if kind == \(window) then
            chargeWindow(s, r, units)
            return s.total
          end
          if kind == \(fixed) then
            s[1] = max(h > 0 and s[1] or 0, calendar(r))
            s[2] = min(h + units, \(most))
            return s[2]
          end
          chargeLog(k, s, units)
          return counted(k, s, r)
        end

        local function refund(k, s, r, units, mark)
          local kind = p[r]
          dirty[k] = kind
          if kind == \(window) then return refundWindow(s, r, units, mark) end
          if kind == \(log) then return refundLog(k, s, r, units, mark) end
          if kind == \(fixed) then
            if s[1] == mark and mark > now then s[2] = s[2] - min(units, s[2]) end
          elseif kind == \(bucket) then
            local d = debt(s, r)
            if d > 0 and mark > now then
              s[1] = now + d - min(d, units * p[r + 2], mark - now)
              s[2] = p[r + 2]
            end
          elseif s[1] == mark and s[2] == p[r + 2] then
            local d = debt(s, r)
            s[1] = s[1] - min(d, units * p[r + 2])
          end
        end

        -- What is left, until nothing counts any more, and until `units` more could be taken; -1: never.
        local function level(k, s, r, h, units)
          local kind, wanted = p[r], units > 0 and units or 1
          if kind == \(bucket) then
            local step, span = p[r + 2], p[r + 3]
            local room, cost, after = span - h, wanted * step, 0
            if cost > span then after = -1 elseif cost > room then after = cost - room end
            return room > 0 and (room - room % step) / step or 0, h, after
          end
          if kind == \(leaky) then
            local step, room = p[r + 2], p[r + 3] - h
            local short = (wanted - 1) * step
            local after = short > p[r + 3] and -1 or max(short - room, 0)
            return room >= 0 and (room - room % step) / step + 1 or 0, h, after
          end
          if kind == \(window) then return levelWindow(s, r, wanted) end
          if kind == \(log) then return levelLog(k, s, r, h, wanted) end
          local reset = (h > 0 and s[1] or calendar(r)) - now
          local left = max(p[r + 1] - h, 0)
          if wanted > p[r + 1] then return left, reset, -1 end
          return left, reset, wanted > left and reset or 0
        end

        local function answer(k, s, r, h, units, refused)
          local left, reset, after = level(k, s, r, h, units)
          if refused then left = -1 - left end
          out[n + 1], out[n + 2], out[n + 3] = left, reset, after
          n = n + 3
        end

        local alone = {}
        while p[i] do
          local op = p[i]
          if op == 1 and p[i + 1] == 0 then
            -- One limit that is no shadow.
            local k, r, units = p[i + 2], 5 * p[i + 3] + 2, p[i + 4]
            local s = states[k] or state(k, r)
            local h = held(k, s, r)
            local passes = fits(r, h, units)
            if passes then h = charge(k, s, r, h, units) end
            answer(k, s, r, h, units, not passes)
            i = i + 5
          elseif op < 32 then
            -- 1 to 8 limits and which of them are shadow; 16 more: only a look.
            local n, shadows, passes = op % 16, p[i + 1], op < 16
            local enforces = passes
            i = i + 2
            for j = 1, n do
              local at = i + 3 * j - 3
              local k, r = p[at], 5 * p[at + 1] + 2
              alone[j] = fits(r, held(k, states[k] or state(k, r), r), p[at + 2])
              if not alone[j] and floor(shadows / 2 ^ (j - 1)) % 2 == 0 then passes = false end
            end
            for j = 1, n do
              local k, r, units = p[i], 5 * p[i + 1] + 2, p[i + 2]
              local s = states[k]
              local h = held(k, s, r)
              local charged = passes
              if floor(shadows / 2 ^ (j - 1)) % 2 == 1 then charged = enforces and alone[j] end
              if charged then h = charge(k, s, r, h, units) end
              answer(k, s, r, h, units, not alone[j])
              i = i + 3
            end
          else
            local k, r, units = p[i + 1], 5 * p[i + 2] + 2, p[i + 3]
            local s = states[k] or state(k, r)
            if op == 32 then
              charge(k, s, r, held(k, s, r), units)
              i = i + 4
            else
              refund(k, s, r, units, p[i + 4])
              i = i + 5
            end
            answer(k, s, r, held(k, s, r), 1, false)
          end
        end

        """

    /// What has changed goes back.
    private static let writing = """
        for k, kind in pairs(dirty) do
          local s = states[k]
          if kind == \(log) then
            writeLog(k, s)
          else
            local v, left = s, s[1] and s[1] - now
            if kind == \(window) then v, left = writeWindow(k, s) end
            if kind == \(fixed) and s[2] == 0 then left = 0 end
            if left > 0 then
              redis.call('SET', KEYS[k], cmsgpack.pack(v), 'PX', floor(left / 1000) + slack)
            else
              redis.call('DEL', KEYS[k])
            end
          end
        end
        return cmsgpack.pack(out)
        """
}
