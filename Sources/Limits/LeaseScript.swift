/// The script that grants leases and takes them back.
///
/// One call carries the orders of any number of keys, each on its own: a lease is spent later, so nothing has to
/// be decided together. `LeaseLedger` is its twin in Swift, and tests hold both to the same answers.
///
/// **Arguments**: the number of replicas, then `LeaseOrder.arguments` for each key. **Answer**: `LeaseGrant.count`
/// integers for each key.
///
/// **State** of a key: a string of whole numbers, with an expiry set at each write, after which it says the same
/// as none.
///
/// | | numbers |
/// | --- | --- |
/// | fixed window | its end, units |
/// | sliding window | microseconds of a sub-window, counters in the ring, then index and units of each that holds some |
/// | token bucket | moment, debt in grains then, grains of a token, of a microsecond, then end and units of the leases that end together |
public enum LeaseScript {
    /// The text, in Lua 5.1 as Redis 5 to 7 run it. All numbers are whole and below 2⁵³.
    public static let text = """
        local fmod, DAY = math.fmod, 86400000000

        local function quotient(a, b) return (a - fmod(a, b)) / b end

        local function read(key)
          local state = {}
          for number in string.gmatch(redis.call('GET', key) or '', '%d+') do
            state[#state + 1] = tonumber(number)
          end
          return state
        end

        local function write(key, state, idle)
          if idle <= 0 then redis.call('DEL', key) return end
          local texts = {}
          for i = 1, #state do texts[i] = string.format('%.0f', state[i]) end
          redis.call('SET', key, table.concat(texts, ' '), 'PX', string.format('%.0f', quotient(idle, 1000) + 1))
        end

        -- What is granted of what is there: what is waited for, and beyond that a fair part at most.
        local function share(order, available, replicas)
          local part = math.min(order.want, quotient(available, 2 * replicas))
          return math.min(available, math.max(order.need, part))
        end

        -- The units that the next wait is told for.
        local function missing(order, granted)
          return math.max(order.need - granted, 1)
        end

        -- The first moment of the next month, by the days since 0000-03-01 in eras of 400 years.
        local function month_end(now)
          local day = quotient(now, DAY) + 719468
          local era = quotient(day, 146097)
          local of_era = day - era * 146097
          local year = quotient(of_era - quotient(of_era, 1460) + quotient(of_era, 36524) - quotient(of_era, 146096), 365)
          local first = 365 * year + quotient(year, 4) - quotient(year, 100)
          local month = quotient(5 * (of_era - first) + 2, 153)
          local next
          if month < 11 then
            next = first + quotient(153 * (month + 1) + 2, 5)
          else
            year = year + 1
            next = 365 * year + quotient(year, 4) - quotient(year, 100) + quotient(year, 400)
          end
          return (era * 146097 + next - 719468) * DAY
        end

        local function fixed_window(key, order, now, replicas)
          local state, length, finish = read(key), order.length
          if length > 0 then
            finish = now + length - fmod(now + length - order.detail, length)
          else
            finish = month_end(now)
          end
          local count = 0
          if state[1] and state[1] > now then
            count = state[2]
            if order.mark == state[1] then count = count - math.min(count, order.back) end
            finish = math.max(finish, state[1])
          end
          local granted = share(order, math.max(order.capacity - count, 0), replicas)
          count = count + granted
          local left = finish - now
          local available = math.max(order.capacity - count, 0)
          write(key, {finish, count}, count > 0 and left or 0)
          local lacking = missing(order, granted)
          local wait = lacking > order.capacity and -1 or lacking > available and left or 0
          return granted, 0, finish, left, available, wait, count > 0 and left or 0
        end

        local function sliding_window(key, order, now, replicas)
          local state, step, ring = read(key), order.length, order.detail
          local index, counted, counts = quotient(now, step), 0, {}
          local other = state[1] and (state[1] ~= step or state[2] ~= ring)
          local current = other and quotient(now, state[1]) or index
          for i = 3, #state, 2 do
            if state[i] + state[2] > current then
              if state[i] == order.mark and not other then
                state[i + 1] = state[i + 1] - math.min(state[i + 1], order.back)
              end
              if state[i + 1] > 0 then
                counted = counted + state[i + 1]
                if not other then
                  counts[#counts + 1] = state[i]
                  counts[#counts + 1] = state[i + 1]
                end
              end
            end
          end
          -- What was counted in other steps counts as if it came now.
          if other and counted > 0 then counts = {index, counted} end
          -- A clock that went back does not charge before what is charged already.
          if #counts > 0 then index = math.max(index, counts[#counts - 1]) end
          local granted = share(order, math.max(order.capacity - counted, 0), replicas)
          if granted > 0 then
            counted = counted + granted
            if #counts > 0 and counts[#counts - 1] == index then
              counts[#counts] = counts[#counts] + granted
            else
              counts[#counts + 1] = index
              counts[#counts + 1] = granted
            end
          end
          local available = math.max(order.capacity - counted, 0)
          local lacking, wait = missing(order, granted), 0
          if lacking > order.capacity then
            wait = -1
          elseif lacking > available then
            local need = counted + lacking - order.capacity
            for i = 1, #counts, 2 do
              need = need - counts[i + 1]
              if need <= 0 then
                wait = (counts[i] + ring) * step - now
                break
              end
            end
          end
          local reset = #counts > 0 and (counts[#counts - 1] + ring) * step - now or 0
          write(key, {step, ring, unpack(counts)}, reset)
          return granted, 0, index, math.min((index + 1) * step - now, step), available, wait, reset
        end

        local function token_bucket(key, order, now, replicas)
          local state, token, grains = read(key), order.length, order.detail
          local capacity, most = order.capacity, order.capacity * order.length
          local at, debt = state[1] or now, state[2] or 0
          if state[3] and (state[3] ~= token or state[4] ~= grains) then
            -- At another rate the tokens that were missing are missing still.
            local tokens = quotient(debt, state[3]) + (fmod(debt, state[3]) > 0 and 1 or 0)
            debt = math.min(tokens, capacity) * token
          end
          now = math.max(now, at)
          local slots, outstanding = {}, 0
          for i = 5, #state, 2 do
            slots[#slots + 1] = {state[i], state[i + 1]}
            outstanding = outstanding + state[i + 1]
          end
          -- Tokens come back, but never so many that with those outstanding they are more than the burst.
          local function advance(moment)
            if moment > at then
              debt = math.max(debt - (moment - at) * grains, 0)
              at = moment
            end
            debt = math.max(debt, math.min(outstanding, capacity) * token)
          end
          while slots[1] and slots[1][1] <= now do
            advance(slots[1][1])
            outstanding = outstanding - slots[1][2]
            table.remove(slots, 1)
          end
          advance(now)
          -- Leases end together in slots: of a quarter of the time in which the bucket fills, 12.5 to 250 ms.
          local width = math.min(math.max(quotient(quotient(most, grains), 4), 12500), 250000)
          local kept, slot = 0, (quotient(now, width) + 5) * width
          for i = 1, #slots do
            if slots[i][1] == order.mark then
              local told = math.min(slots[i][2], order.spent + order.back + order.keep)
              slots[i][2] = slots[i][2] - told
              outstanding = outstanding - told
              local back = math.min(order.back, told)
              debt = math.max(debt - back * token, 0)
              if order.keep <= told - back then kept = order.keep end
            end
          end
          outstanding = outstanding + kept
          debt = math.min(math.max(debt, math.min(outstanding, capacity) * token), most)
          local granted = share(order, quotient(most - debt, token), replicas)
          debt = debt + granted * token
          outstanding = outstanding + granted
          if kept + granted > 0 then
            local place = 1
            while slots[place] and slots[place][1] < slot do place = place + 1 end
            if slots[place] and slots[place][1] == slot then
              slots[place][2] = slots[place][2] + kept + granted
            else
              table.insert(slots, place, {slot, kept + granted})
            end
          end
          local function micros(amount) return quotient(amount + grains - 1, grains) end
          local available, lacking, wait = quotient(most - debt, token), missing(order, granted), 0
          if lacking > capacity then
            wait = -1
          elseif lacking > available then
            wait = micros(debt + lacking * token - most)
          end
          local fresh, idle = {now, debt, token, grains}, micros(debt)
          for i = 1, #slots do
            if slots[i][2] > 0 then
              fresh[#fresh + 1] = slots[i][1]
              fresh[#fresh + 1] = slots[i][2]
              idle = math.max(idle, slots[i][1] - now)
            end
          end
          write(key, fresh, idle)
          return granted, kept, slot, slot - now, available, wait, micros(debt)
        end

        local kinds = {fixed_window, sliding_window, token_bucket}
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
        local replicas, answer = math.max(tonumber(ARGV[1]), 1), {}
        for i = 1, #KEYS do
          local n = {}
          for j = 1, 10 do n[j] = tonumber(ARGV[(i - 1) * 10 + 1 + j]) end
          local order = {
            capacity = n[2], length = n[3], detail = n[4], mark = n[5], spent = n[6], back = n[7],
            keep = n[8], need = n[9], want = n[10],
          }
          local values = {kinds[n[1]](KEYS[i], order, now, replicas)}
          for j = 1, #values do answer[#answer + 1] = values[j] end
        end
        return answer
        """
}
