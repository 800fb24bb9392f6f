// A registry for npm that serves the packages of a folder, so that npm installs them as it does after their publication.
//   node registry.mjs FOLDER     prints its address, and ends with its standard input
import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const [folder] = process.argv.slice(2)
const packages = new Map()
for (const file of readdirSync(folder).filter((name) => name.endsWith('.tgz'))) {
  const bytes = readFileSync(join(folder, file))
  const manifest = JSON.parse(execFileSync('tar', ['-xzOf', join(folder, file), 'package/package.json']))
  const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
  packages.set(manifest.name, { file, bytes, manifest, integrity })
}

const server = createServer((request, response) => {
  const path = decodeURIComponent(request.url.slice(1))
  const file = [...packages.values()].find((one) => path === `files/${one.file}`)
  if (file) return void response.end(file.bytes)
  const found = packages.get(path)
  if (!found) return void response.writeHead(404).end('{}')
  const { manifest, integrity } = found
  const tarball = `http://${request.headers.host}/files/${found.file}`
  const version = { ...manifest, dist: { tarball, integrity } }
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ name: manifest.name, 'dist-tags': { latest: manifest.version }, versions: { [manifest.version]: version } }))
})
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`))
process.stdin.resume().on('end', () => process.exit())
