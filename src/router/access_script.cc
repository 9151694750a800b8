// The script allows a request by setting txn.allowed; a failure of its own allows nothing. Salted SHA-256 is enough:
// the passwords are random (store/passwords.hh).
#include "router/access_script.hh"

namespace pushrod {

namespace {

constexpr std::string_view kScript = R"lua(
-- Who may ask an app. Files are named by their content, so what was read stays true.
local most_guarded, most_visitors = 500, 20000
local guards, guards_read = {}, 0

local function read_guard(name)
  local file = io.open(name, "rb")
  if not file then return nil end
  local guard = {networks = {}, users = {}}
  for line in file:lines() do
    local words = {}
    for word in line:gmatch("[^\t]+") do words[#words + 1] = word end
    if words[1] == "app" then guard.app = words[2] end
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
  txn:set_var("txn.allowed", true)
end

core.register_action("access", {"http-req"}, access)
)lua";

}  // namespace

std::string_view access_script() { return kScript; }

}  // namespace pushrod
