// The programs on the pages about frameworks do what the pages say, on real servers.
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

import { programs } from './programs.mjs'
import { config, NOW, token } from './tokens.mjs'

const pages = new URL('../../../docs/frameworks/', import.meta.url)
const here = fileURLToPath(new URL('.', import.meta.url))
const preload = new URL('frameworks/reported-port.mjs', import.meta.url).href
const tested = ['express', 'fastify', 'hono', 'koa', 'nestjs']

for (const page of tested) {
  test(`the program for ${page} runs`, async () => {
    const text = readFileSync(new URL(`${page}.md`, pages), 'utf8')
    const [{ language, code }] = programs(new URL(`${page}.md`, pages))
    assert.match(code, /^\/\/ app\.m?[jt]s\n/)
    // In this package's folder, so that the program finds it and the frameworks.
    const folder = mkdtempSync(join(here, 'page-'))
    try {
      const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, experimentalDecorators: true, emitDecoratorMetadata: true }
      const program = language === 'ts' ? ts.transpileModule(code, { compilerOptions: options }).outputText : code
      writeFileSync(join(folder, 'app.mjs'), program)
      const verifier = config({ identity: { name: 'sub', groups: 'groups' }, roles: { jmespath: "contains(groups, 'staff') && 'editor' || 'viewer'" } })
      writeFileSync(join(folder, 'verifier.json'), JSON.stringify(verifier))
      const running = fork(join(folder, 'app.mjs'), { cwd: folder, execArgv: ['--import', preload] })
      const [port] = await once(running, 'message')
      const ask = async (path, claims) => {
        const headers = claims === undefined ? {} : { authorization: `Bearer ${token({ groups: ['staff'], ...claims })}` }
        const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
        const body = await response.text()
        return [response.status, response.status === 200 ? JSON.parse(body) : undefined]
      }
      try {
        assert.deepEqual(await ask('/', {}), [200, 'alice'])
        assert.deepEqual(await ask('/', { groups: [] }), [200, 'alice'])
        assert.deepEqual(await ask('/', { exp: NOW - 600 }), [401, undefined])
        assert.deepEqual(await ask('/'), [401, undefined])
        assert.deepEqual(await ask('/reports', {}), [200, ['first', 'second']])
        assert.deepEqual(await ask('/reports', { groups: [] }), [403, undefined])
        assert.deepEqual(await ask('/reports', { exp: NOW - 600 }), [401, undefined])
        assert.deepEqual(await ask('/reports'), [401, undefined])
        if (text.includes("'health'")) assert.deepEqual(await ask('/health'), [200, 'up'])
      } finally {
        const ended = once(running, 'exit')
        running.kill()
        await ended
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}

test('every program for Node on the pages is run', () => {
  for (const name of readdirSync(pages)) {
    const run = tested.includes(name.replace('.md', '')) ? 1 : 0
    assert.equal(programs(new URL(name, pages)).length, run, name)
  }
})
