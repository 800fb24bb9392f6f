// The OpenID Connect provider of tests/oidc, in a separate process.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Starts the provider. `ask` sends it a command and returns its answer. */
export function startProvider() {
  const script = fileURLToPath(new URL('../../../../tests/oidc/rotation.mjs', import.meta.url))
  const running = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: running.stdout })[Symbol.asyncIterator]()
  return {
    async ask(command) {
      running.stdin.write(`${command}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error('the provider has ended')
      return JSON.parse(value)
    },
    stop: () => running.stdin.end(),
  }
}
