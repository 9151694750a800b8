// The script allows a request by setting txn.allowed; a failure of its own allows nothing. Salted SHA-256 is enough:
// the passwords are random (store/passwords.hh).
#include "router/access_script.hh"

namespace pushrod {

namespace {

constexpr std::string_view kScript = R"lua(
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
)lua";

}  // namespace

std::string_view access_script() { return kScript; }

}  // namespace pushrod
