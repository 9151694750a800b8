// The Lua script (HAProxy's Lua API: https://www.arpalert.org/src/haproxy-lua-api/2.6/).
//
// A coroutine that HAProxy gives up, because the client went away, is never told. What it took is then a key of a weak
// table that the garbage collector removes, and the places are counted anew before a request is refused.
#include "router/hold_script.hh"

#include <fmt/format.h>

#include "router/access_script.hh"
#include "router/maps.hh"

namespace pushrod {

namespace {

constexpr std::string_view kScript = R"lua(-- Rendered by Pushrod: whatever is changed here is overwritten.
local most_held = {most_held}
local longest_hold = {longest_hold}
local page_retry_after = "{page_retry_after}"
local wake_socket = "unix@../wake.sock"

local modes = Map.new("{modes}", Map._str)

local function seconds()
  local now = core.now()
  return now.sec + now.usec / 1e6
end

-- Back end -> its places: how many are taken, and by whom.
local held = {{}}

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
    places = {{taken = 0, last_count = 0, by = setmetatable({{}}, {{__mode = "k"}})}}
    held[app] = places
  end
  if places.taken >= most_held then count(places) end
  if places.taken >= most_held then return nil end
  local place = {{}}
  places.by[place] = true
  places.taken = places.taken + 1
  return places, place
end

local function is_held(mode) return mode == "hold" or mode == "asleep" end

-- Back end -> when the daemon was called last. It starts the app once, however often it is called; it is called again
-- for the case that it was not there.
local called = {{}}

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
local rule_files, files_read = {{}}, 0

local function read_rules(name)
  local rules = {{headers = {{}}, redirects = {{}}}}
  local file = io.open(name, "rb")
  if not file then return rules end
  for line in file:lines() do
    local kind, one, two, three = line:match("^(%a+)\t([^\t]*)\t([^\t]*)\t?([^\t]*)$")
    if kind == "header" then rules.headers[#rules.headers + 1] = {{one, two}} end
    if kind == "redirect" then
      rules.redirects[#rules.redirects + 1] =
        {{status = tonumber(one), from = two:gsub("%*$", ""), is_prefix = two:sub(-1) == "*", to = three}}
    end
  end
  file:close()
  return rules
end

local function rules_of(txn)
  local name = txn:get_var("txn.rules")
  if not name then return nil end
  if not rule_files[name] then
    if files_read >= {most_files} then rule_files, files_read = {{}}, 0 end
    rule_files[name], files_read = read_rules(name), files_read + 1
  end
  return rule_files[name]
end

local function headers(txn)
  local rules = rules_of(txn)
  for _, header in ipairs(rules and rules.headers or {{}}) do txn.http:res_set_header(header[1], header[2]) end
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
  for _, rule in ipairs(rules and rules.redirects or {{}}) do
    if path == rule.from or (rule.is_prefix and path:sub(1, #rule.from) == rule.from) then
      local to = target_of(rule, path, txn.sf:req_fhdr("X-Forwarded-Prefix"))
      if query ~= "" and not to:find("?", 1, true) then to = to .. "?" .. query end
      local reply = txn:reply({{status = rule.status}})
      reply:add_header("location", to)
      txn:done(reply)
    end
  end
end

-- An app's own page, in front of the usual one, which it makes a comment. HAProxy would encode line ends.
local pages, pages_read = {{}}, 0

local function page_begin(name)
  if not pages[name] then
    local file = io.open(name, "rb")
    if not file then return "" end
    if pages_read >= {most_files} then pages, pages_read = {{}}, 0 end
    pages[name], pages_read = file:read("a"):gsub("%c", " ") .. "<!-- ", pages_read + 1
    file:close()
  end
  return pages[name]
end

core.register_converters("page_begin", page_begin)
core.register_converters("page_end", function() return " -->" end)
core.register_action("redirect", {{"http-req"}}, redirect)
core.register_action("headers", {{"http-res"}}, headers)
core.register_action("hold", {{"http-req"}}, hold)
core.register_service("challenge", "http", challenge)
core.register_service("page", "http", page)
)lua";

}  // namespace

std::string render_hold_script() {
  return fmt::format(kScript, fmt::arg("most_held", kMostHeld), fmt::arg("longest_hold", kLongestHold),
                     fmt::arg("page_retry_after", kPageRetryAfter), fmt::arg("modes", kModesFile),
                     fmt::arg("most_files", kMostFilesRead)) +
         std::string(access_script());
}

}  // namespace pushrod
