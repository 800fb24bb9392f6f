// Builds the addon with cargo and puts it next to index.js, with the licence: `node build.mjs [--release]`
import { execFileSync } from 'node:child_process'
import { copyFileSync, readdirSync, renameSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { release: { type: 'boolean', default: false } } })
const here = fileURLToPath(new URL('.', import.meta.url))
const run = (program, ...args) =>
  execFileSync(program, args, {
    cwd: here,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  })

const built = run(
  process.env.CARGO ?? 'cargo',
  'build',
  '--locked',
  '--package=jwtauth-node',
  '--message-format=json-render-diagnostics',
  ...(values.release ? ['--release'] : []),
)
  .split('\n')
  .filter((line) => line.startsWith('{'))
  .map((line) => JSON.parse(line))
  .find((message) => message.reason === 'compiler-artifact' && message.target.name === 'jwtauth_node')
if (!built) throw new Error('cargo built no addon')

const host = /^host: (.*)$/m.exec(run(process.env.RUSTC ?? 'rustc', '-vV'))[1]
const libc = process.platform === 'linux' ? (host.includes('musl') ? '-musl' : '-gnu') : ''
const addon = `${here}jwtauth.${process.platform}-${process.arch}${libc}.node`
// Renamed into place, because a running process may have the old file mapped and needs it unchanged.
copyFileSync(built.filenames[0], `${addon}.new`)
renameSync(`${addon}.new`, addon)
// A package can contain only files of its own folder.
const root = `${here}../../`
for (const name of readdirSync(root).filter((name) => name.startsWith('LICENSE'))) copyFileSync(root + name, here + name)
console.log(addon)
