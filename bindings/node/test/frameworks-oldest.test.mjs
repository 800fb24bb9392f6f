// The integrations with the oldest release of each framework that the package promises to work with. Those of `oldest` are used
// for all imports outside of node_modules.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { register } from 'node:module'
import { test } from 'node:test'

register('./frameworks/oldest-hooks.mjs', import.meta.url)

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
const { dependencies } = read('oldest/package.json')
const { peerDependencies } = read('../package.json')

test('the oldest releases are those that the package promises, and they are used', () => {
  for (const [name, range] of Object.entries(peerDependencies)) {
    const [, promised] = /^>=(\d+(?:\.\d+)*)$/.exec(range)
    assert.equal(dependencies[name], `${promised}${'.0'.repeat(3 - promised.split('.').length)}`, name)
  }
  const folder = new URL('oldest/node_modules/', import.meta.url).href
  for (const name of Object.keys(dependencies)) assert.ok(import.meta.resolve(name).startsWith(`${folder}${name}/`), name)
})

await import('./frameworks.test.mjs')
