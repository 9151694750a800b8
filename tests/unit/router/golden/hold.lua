-- Rendered by Pushrod: whatever is changed here is overwritten.
local most_held = 1000
local longest_hold = 30
local page_retry_after = "60"
local wake_socket = "unix@../wake.sock"

local modes = Map.new("modes.map", Map._str)

local function seconds()
  local now = core.now()
  return now.sec + now.usec / 1e6
end

-- Back end -> its places: how many are taken, and by whom.
local held = {}

local function count(places)
  if seconds() - places.last_count < 0.1 then return end
  places.last_count = seconds()
  collectgarbage()
  places.taken = 0
  for _ in pairs(places.by) do places.taken = places.taken + 1 end
end

local function take_place(app)
  local places = held[app]
  if not places then
    places = {taken = 0, last_count = 0, by = setmetatable({}, {__mode = "k"})}
    held[app] = places
  end
  if places.taken >= most_held then count(places) end
  if places.taken >= most_held then return nil end
  local place = {}
  places.by[place] = true
  places.taken = places.taken + 1
  return places, place
end

local function is_held(mode) return mode == "hold" or mode == "asleep" end

-- Back end -> when the daemon was called last. It starts the app once, however often it is called; it is called again
-- for the case that it was not there.
local called = {}

local function wake(app)
  if seconds() - (called[app] or 0) < 0.25 then return end
  called[app] = seconds()
  local socket = core.tcp()
  socket:settimeout(1)
  if socket:connect(wake_socket) then socket:send(app .. "\n") end
  socket:close()
end

-- Waits until the app is not held any more; leaves the mode in txn.mode, "late" after too long, "full" when too many
-- wait. In a worker that a reload made old it ends at once: the rules then hand the request to the current one.
local function hold(txn)
  local app = txn:get_var("txn.app")
  local places, place = take_place(app)
  if not places then
    txn:set_var("txn.mode", "full")
    return
  end
  local start = seconds()
  local mode = modes:lookup(app)
  while is_held(mode) and not (txn.f:stopping() == 1) do
    if seconds() - start > longest_hold then
      mode = "late"
      break
    end
    if mode == "asleep" then wake(app) end
    -- The more wait, the less often each of them looks.
    core.msleep(5 + math.floor(places.taken / 20))
    mode = modes:lookup(app)
  end
  if places.by[place] then
    places.by[place] = nil
    places.taken = math.max(places.taken - 1, 0)
  end
  txn:set_var("txn.mode", is_held(mode) and "" or mode or "")
end

-- An app's own page: the mode is its file.
local function page(applet)
  local file = io.open(applet:get_var("txn.mode"), "rb")
  local body = file and file:read("a") or "503 Service Unavailable\n\nThis app is down for maintenance.\n"
  if file then file:close() end
  applet:set_status(503)
  applet:add_header("Content-Type", body:match("^%s*<") and "text/html; charset=utf-8" or "text/plain; charset=utf-8")
  applet:add_header("Content-Length", tostring(#body))
  applet:add_header("Cache-Control", "no-store")
  applet:add_header("X-Content-Type-Options", "nosniff")
  applet:add_header("Retry-After", page_retry_after)
  applet:start_response()
  if applet.method ~= "HEAD" then applet:send(body) end
end

-- What a CA asks for, to see that a host leads here (RFC 8555, 8.3): lego has written it to a file for the time of its
-- order.
local function challenge(applet)
  local token = applet.path:match("^/%.well%-known/acme%-challenge/([%w_-]+)$")
  local file = token and io.open("challenges/.well-known/acme-challenge/" .. token, "rb")
  local body = file and file:read(1024)
  if file then file:close() end
  applet:set_status(body and 200 or 404)
  body = body or "No certificate is being obtained with this challenge.\n"
  applet:add_header("Content-Type", "text/plain; charset=utf-8")
  applet:add_header("Content-Length", tostring(#body))
  applet:add_header("Cache-Control", "no-store")
  applet:add_header("X-Content-Type-Options", "nosniff")
  applet:start_response()
  if applet.method ~= "HEAD" then applet:send(body) end
end

-- What an app says of HTTP. Files are named by their content, so what was read stays true.
local rule_files, files_read = {}, 0

local function read_rules(name)
  local rules = {headers = {}, redirects = {}}
  local file = io.open(name, "rb")
  if not file then return rules end
  for line in file:lines() do
    local kind, one, two, three = line:match("^(%a+)\t([^\t]*)\t([^\t]*)\t?([^\t]*)$")
    if kind == "header" then rules.headers[#rules.headers + 1] = {one, two} end
    if kind == "redirect" then
      rules.redirects[#rules.redirects + 1] =
        {status = tonumber(one), from = two:gsub("%*$", ""), is_prefix = two:sub(-1) == "*", to = three}
    end
  end
  file:close()
  return rules
end

local function rules_of(txn)
  local name = txn:get_var("txn.rules")
  if not name then return nil end
  if not rule_files[name] then
    if files_read >= 500 then rule_files, files_read = {}, 0 end
    rule_files[name], files_read = read_rules(name), files_read + 1
  end
  return rule_files[name]
end

local function headers(txn)
  local rules = rules_of(txn)
  for _, header in ipairs(rules and rules.headers or {}) do txn.http:res_set_header(header[1], header[2]) end
end

-- Where the request is sent instead. What stands for "*" is not to make "//host" of a path.
local function target_of(rule, path, prefix)
  local rest = path:sub(#rule.from + 1)
  local to = rule.to:gsub("%*", function() return rest end)
  return rule.to:sub(1, 1) == "/" and prefix .. to:gsub("^[/\\]+", "/") or to
end

local function redirect(txn)
  local rules = rules_of(txn)
  local path, query = txn.sf:path(), txn.sf:query()
  for _, rule in ipairs(rules and rules.redirects or {}) do
    if path == rule.from or (rule.is_prefix and path:sub(1, #rule.from) == rule.from) then
      local to = target_of(rule, path, txn.sf:req_fhdr("X-Forwarded-Prefix"))
      if query ~= "" and not to:find("?", 1, true) then to = to .. "?" .. query end
      local reply = txn:reply({status = rule.status})
      reply:add_header("location", to)
      txn:done(reply)
    end
  end
end

-- An app's own page, in front of the usual one, which it makes a comment. HAProxy would encode line ends.
local pages, pages_read = {}, 0

local function page_begin(name)
  if not pages[name] then
    local file = io.open(name, "rb")
    if not file then return "" end
    if pages_read >= 500 then pages, pages_read = {}, 0 end
    pages[name], pages_read = file:read("a"):gsub("%c", " ") .. "<!-- ", pages_read + 1
    file:close()
  end
  return pages[name]
end

core.register_converters("page_begin", page_begin)
core.register_converters("page_end", function() return " -->" end)
core.register_action("redirect", {"http-req"}, redirect)
core.register_action("headers", {"http-res"}, headers)
core.register_action("hold", {"http-req"}, hold)
core.register_service("challenge", "http", challenge)
core.register_service("page", "http", page)

-- Who may ask an app. Files are named by their content, so what was read stays true.
local most_guarded, most_visitors = 500, 20000
local session_cookie, session_seconds = "_pushrod_login", 7 * 24 * 3600
local guards, guards_read = {}, 0

local function read_guard(name)
  local file = io.open(name, "rb")
  if not file then return nil end
  local guard = {networks = {}, users = {}, keys = {}}
  for line in file:lines() do
    local words = {}
    for word in line:gmatch("[^\t]+") do words[#words + 1] = word end
    if words[1] == "app" then guard.app = words[2] end
    if words[1] == "login" then guard.secret = words[2] end
    if words[1] == "key" then guard.keys[words[2]] = true end
    if words[1] == "rate" then guard.rate = tonumber(words[2]) end
    if words[1] == "network" then guard.networks[#guard.networks + 1] = core.parse_addr(words[2]) end
    if words[1] == "network" then guard.is_closed = true end
    if words[1] == "user" then guard.users[words[2]], guard.has_users = {salt = words[3], hash = words[4]}, true end
  end
  file:close()
  return guard
end

local function guard_of(name)
  if not guards[name] then
    if guards_read >= most_guarded then guards, guards_read = {}, 0 end
    guards[name], guards_read = read_guard(name), guards_read + 1
  end
  return guards[name]
end

local function comes_from_a_network(txn, guard)
  if not guard.is_closed then return true end
  local address = core.parse_addr(txn.sf:src())
  for _, network in ipairs(guard.networks) do
    if core.match_addr(address, network) then return true end
  end
  return false
end

-- App and address → what is left of its requests of a second, and when that was counted.
local visitors, visitors_known = {}, 0

local function is_too_quick(guard, address)
  if not guard.rate then return false end
  local key, now = guard.app .. " " .. address, seconds()
  if not visitors[key] then
    if visitors_known >= most_visitors then visitors, visitors_known = {}, 0 end
    visitors[key], visitors_known = {left = guard.rate, at = now}, visitors_known + 1
  end
  local visitor = visitors[key]
  visitor.left = math.min(guard.rate, visitor.left + (now - visitor.at) * guard.rate)
  visitor.at = now
  if visitor.left < 1 then return true end
  visitor.left = visitor.left - 1
  return false
end

local function has_password(txn, guard)
  local encoded = txn.sf:req_fhdr("Authorization"):match("^[Bb][Aa][Ss][Ii][Cc] +([%w+/=]+)%s*$")
  local name, password = (encoded and txn.c:b64dec(encoded) or ""):match("^([^:]*):(.*)$")
  local user = name and guard.users[name]
  return user and txn.c:hex(txn.c:sha2(user.salt .. password, 256)):lower() == user.hash
end

local function refuse(txn, status, text, name, value)
  local reply = txn:reply({status = status, body = text})
  reply:add_header("content-type", "text/plain; charset=utf-8")
  reply:add_header("cache-control", "no-store")
  reply:add_header(name, value)
  txn:done(reply)
end

-- Both have the form "EXPIRY.….ID.SIGNATURE". Signatures are compared by their hashes, so that the time tells nothing.
local function is_signed(txn, guard, text, signature)
  local function mac(message) return txn.c:hmac(message, "sha256", txn.c:base64(guard.secret)) end
  return mac(txn.c:hex(mac(text)):lower()) == mac(signature)
end

local function is_valid(guard, expiry, key) return tonumber(expiry) > os.time() and guard.keys[key] end

-- Links that were used, until they expire; also by the worker before this one.
local used_file, used = "logins.used", {}
local before = io.open(used_file, "rb")
for line in before and before:lines() or function() end do used[line] = true end
if before then before:close() end

local function use_once(token)
  if used[token] then return false end
  used[token] = true
  local file = io.open(used_file, "ab")
  if not file or not file:write(token, "\n") or not file:close() then return false end
  return true
end

local function log_in(txn, guard)
  local token = txn.sf:query()
  local text, expiry, nonce, key, signature = token:match("^((%d+)%.(%x+)%.(%d+))%.(%x+)$")
  local good = text and #expiry < 12 and is_signed(txn, guard, "link." .. text, signature) and is_valid(guard, expiry, key)
  if not good or not use_once(expiry .. "." .. nonce) then
    refuse(txn, 403, "403 Forbidden\n\nThis link was used or has expired. Make a new one: login " .. guard.app .. "\n",
           "x-content-type-options", "nosniff")
  end
  local session = os.time() + session_seconds .. "." .. key
  local mac = txn.c:hex(txn.c:hmac("session." .. session, "sha256", txn.c:base64(guard.secret))):lower()
  local reply = txn:reply({status = 303})
  reply:add_header("location", "/")
  reply:add_header("cache-control", "no-store")
  reply:add_header("set-cookie", session_cookie .. "=" .. session .. "." .. mac .. "; Path=/; HttpOnly; SameSite=Lax; Max-Age=" ..
    session_seconds .. ((txn:get_var("txn.proto") or txn:get_var("sess.proto")) == "https" and "; Secure" or ""))
  txn:done(reply)
end

-- Is one of the request's cookies a session? The app gets the others.
local function has_session(txn, guard)
  local kept, found = {}, false
  local lines = txn.http:req_get_headers()["cookie"] or {}
  for number = 0, #lines do
    for cookie in (lines[number] or ""):gmatch("[^;]+") do
      local name, value = cookie:match("^%s*([^=]*)=(.*)$")
      if name ~= session_cookie then
        kept[#kept + 1] = cookie:match("^%s*(.-)%s*$")
      else
        local text, expiry, key, signature = value:match("^((%d+)%.(%d+))%.(%x+)%s*$")
        found = found or (text and #expiry < 12 and is_signed(txn, guard, "session." .. text, signature)
          and is_valid(guard, expiry, key))
      end
    end
  end
  txn.http:req_del_header("Cookie")
  if #kept > 0 then txn.http:req_add_header("Cookie", table.concat(kept, "; ")) end
  return found
end

local function access(txn)
  local guard = guard_of(txn:get_var("txn.access"))
  if not guard or not comes_from_a_network(txn, guard) then return end
  if is_too_quick(guard, tostring(txn:get_var("txn.visitor"))) then
    refuse(txn, 429, "429 Too Many Requests\n\nYou send more requests than this app takes from one address. Try again.\n",
           "retry-after", "1")
  end
  if guard.has_users then
    if not has_password(txn, guard) then
      refuse(txn, 401, "401 Unauthorized\n\nThis app asks for a name and a password.\n", "www-authenticate",
             'Basic realm="' .. guard.app .. '", charset="UTF-8"')
    end
    txn.http:req_del_header("Authorization")
  end
  if guard.secret then
    if txn.sf:path() == "/.pushrod/login" then log_in(txn, guard) end
    if not has_session(txn, guard) then
      refuse(txn, 401, "401 Unauthorized\n\nOnly holders of a key get in. Make a link: ssh … login " .. guard.app .. "\n",
             "x-content-type-options", "nosniff")
    end
  end
  txn:set_var("txn.allowed", true)
end

core.register_action("access", {"http-req"}, access)
