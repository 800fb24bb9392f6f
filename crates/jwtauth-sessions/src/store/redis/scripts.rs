//! The scripts of the Redis store. Each is atomic, and uses one key, so that it also works in a cluster.
//!
//! A session is one string, so that one command reads it. Its parts, with a space between two: its end or nothing, the uses that
//! are left or nothing, the revision, its two groups, the record. Instants are compared as numbers and never computed, because a
//! script would write large ones with fewer digits. Uses are counted off in their text, for the same reason.

use redis::Cmd;

use crate::secret::sha1_hex;

/// A script, and the name that the server knows it by.
#[derive(Debug)]
pub(super) struct Script {
    text: &'static str,
    sha: String,
}

impl Script {
    /// The command that runs the script by its name.
    pub(super) fn by_name(&self, key: &str, arguments: &[Vec<u8>]) -> Cmd {
        run("EVALSHA", &self.sha, key, arguments)
    }

    /// The command that sends the script to a server that does not know it, and runs it.
    pub(super) fn with_text(&self, key: &str, arguments: &[Vec<u8>]) -> Cmd {
        run("EVAL", self.text, key, arguments)
    }
}

fn run(command: &str, script: &str, key: &str, arguments: &[Vec<u8>]) -> Cmd {
    let mut command = redis::cmd(command);
    command.arg(script).arg(1).arg(key).arg(arguments);
    command
}

#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) shared: Script,
    pub(super) insert: Script,
    pub(super) spend: Script,
    pub(super) renew: Script,
    pub(super) remove: Script,
    pub(super) group: Script,
    pub(super) page: Script,
}

impl Scripts {
    pub(super) fn new() -> Scripts {
        let script = |text| Script {
            text,
            sha: sha1_hex(text),
        };
        Scripts {
            shared: script(SHARED),
            insert: script(INSERT),
            spend: script(SPEND),
            renew: script(RENEW),
            remove: script(REMOVE),
            group: script(GROUP),
            page: script(PAGE),
        }
    }
}

/// Arguments: the version, a salt, the time, the time minus the interval in which it is stored. Returns the version, the salt,
/// the latest time that is stored.
///
/// If the memory of the server is full, the time is not stored, so that sessions can still be revoked.
const SHARED: &str = "
local v = redis.call('HGET', KEYS[1], 'v')
if v and v ~= ARGV[1] then return {v} end
if not v then redis.call('HSET', KEYS[1], 'v', ARGV[1], 'salt', ARGV[2], 'seen', ARGV[3]) end
local seen = redis.call('HGET', KEYS[1], 'seen')
if not seen or tonumber(seen) < tonumber(ARGV[4]) then
  seen = ARGV[3]
  redis.pcall('HSET', KEYS[1], 'seen', seen)
end
return {ARGV[1], redis.call('HGET', KEYS[1], 'salt'), seen}
";

/// Arguments: the milliseconds that are left or nothing, the session. Returns whether the name was free.
///
/// The same session once more is a command that was sent again, because its reply was lost.
const INSERT: &str = "
local v = redis.call('GET', KEYS[1])
if v then return v == ARGV[2] and 1 or 0 end
if ARGV[1] ~= '' then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[1]) else redis.call('SET', KEYS[1], ARGV[2]) end
return 1
";

/// Counts a use off. Arguments: the time. Returns the uses that are left and the groups, or nothing if there is no such session.
/// The last use removes the session.
const SPEND: &str = "
local v = redis.call('GET', KEYS[1])
local e, u, rest, p, s = string.match(v or '', '^(%-?%d*) (%d+)( %d+ (%S+) (%S+) .*)$')
if not e or tonumber(u) == 0 then return false end
if e ~= '' and tonumber(e) <= tonumber(ARGV[1]) then return false end
local left = string.gsub(u, '([1-9])(0*)$', function(d, z)
  return string.char(string.byte(d) - 1) .. string.rep('9', #z)
end)
left = string.gsub(left, '^0+(%d)', '%1')
if left == '0' then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], e .. ' ' .. left .. rest, 'KEEPTTL') end
return {left, p, s}
";

/// Arguments: the time, the revision, the next revision, the end or nothing, the milliseconds until then or nothing. Returns 0
/// for no session, 1 for done, 2 for another revision.
const RENEW: &str = "
local v = redis.call('GET', KEYS[1])
local e, u, n, rest = string.match(v or '', '^(%-?%d*) (%d*) (%d+)( .*)$')
if not e then return 0 end
if e ~= '' and tonumber(e) <= tonumber(ARGV[1]) then return 0 end
if n ~= ARGV[2] then return 2 end
v = ARGV[4] .. ' ' .. u .. ' ' .. ARGV[3] .. rest
if ARGV[5] ~= '' then redis.call('SET', KEYS[1], v, 'PX', ARGV[5]) else redis.call('SET', KEYS[1], v) end
return 1
";

/// Arguments: the time. Returns whether a session lived, and its groups; or nothing. A damaged one counts as one that lived, and
/// has no groups.
///
/// It writes before it answers, also if there is no such session: a server that is not the master any more may not know it.
const REMOVE: &str = "
local v = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
if not v then return false end
local e, p, s = string.match(v, '^(%-?%d*) %d* %d+ (%S+) (%S+) ')
local ended = e and e ~= '' and tonumber(e) <= tonumber(ARGV[1])
return {ended and 0 or 1, p, s}
";

/// Adds a session to a group, which is a sorted set by end. Arguments: the session, its end or `+inf`, the time. A group keeps a
/// session for a day after its end, and is kept for a day after its last end.
///
/// If the clocks of the caller and of the server differ, the earlier one counts: one that is ahead must not remove a session that
/// lives, because then `revoke_all` would not find it.
const GROUP: &str = "
local server = redis.call('TIME')
local now = math.min(tonumber(ARGV[3]), server[1] * 1000000 + server[2])
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - 86400000000))
local last = tonumber(redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2])
local left = last and (last - now) / 1000 + 86400000
if left and left < 1e14 then redis.call('PEXPIRE', KEYS[1], string.format('%.0f', left))
else redis.call('PERSIST', KEYS[1]) end
return 1
";

/// Reads a part of a group. Arguments: the end and the name of the last session that was read, or `-inf` and nothing; how many are
/// wanted. Returns names and ends, in the order of the ends, then of the names.
///
/// A part begins after a session and not at a number, because other clients remove sessions from the group meanwhile. The place is
/// found although the session itself may have left the group. It removes nothing, but such a command is refused by a server that is
/// not the master any more, and needs no memory.
const PAGE: &str = "
redis.call('ZREM', KEYS[1], '')
local from = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. ARGV[1])
local to = from + redis.call('ZCOUNT', KEYS[1], ARGV[1], ARGV[1])
while from < to do
  local middle = math.floor((from + to) / 2)
  if redis.call('ZRANGE', KEYS[1], middle, middle)[1] > ARGV[2] then to = middle else from = middle + 1 end
end
return redis.call('ZRANGE', KEYS[1], from, from + ARGV[3] - 1, 'WITHSCORES')
";
