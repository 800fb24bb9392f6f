-- Asks `jwtauth serve` about a request, and passes on who the caller is.
local server = "http://127.0.0.1:8200/auth"

local about_the_connection = { "connection", "content-length", "expect", "transfer-encoding", "upgrade" }

core.register_action("jwtauth", { "http-req" }, function(txn)
  local headers = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    headers[name] = {}
    for _, value in pairs(values) do table.insert(headers[name], value) end
    -- Whatever the client has sent under these names. Applications read `x_auth-user` and, in PHP, `x.auth.user` as the same.
    if name:match("^x[-_.]auth[-_.]") then txn.http:req_del_header(name) end
  end
  for _, name in ipairs(about_the_connection) do headers[name] = nil end
  headers["x-forwarded-uri"] = { txn.sf:pathq() }
  headers["x-forwarded-for"] = { txn.sf:src() }

  local answer = core.httpclient():get{ url = server, headers = headers }
  local status = answer and answer.status or 503
  txn:set_var("txn.auth_status", status)
  local of_answer = answer and answer.headers or {}
  if status == 200 then
    for name, values in pairs(of_answer) do
      if name:match("^x%-auth%-") then txn.http:req_set_header(name, values[0]) end
    end
    if of_answer["set-cookie"] then txn:set_var("txn.auth_cookie", of_answer["set-cookie"][0]) end
  elseif of_answer["www-authenticate"] then
    txn:set_var("txn.auth_challenge", of_answer["www-authenticate"][0])
  end
end)
