// Run by api.test.mjs on a separate thread.
import { parentPort, workerData } from 'node:worker_threads'

import { JwtAuthError, Verifier } from 'jwtauth'

const { config, token, rounds, report } = workerData
const verifier = new Verifier(config)
const answers = await Promise.all(
  Array.from({ length: 2 * rounds }, (_, round) => {
    if (round === report) parentPort.postMessage(round)
    return verifier.authenticate({ token: round % 2 === 0 ? token : 'forged' }).catch((error) => error)
  }),
)
parentPort.postMessage({
  granted: answers.filter((answer) => answer.identity?.name === 'alice').length,
  denied: answers.filter((answer) => answer.code === 'token_malformed').length,
  instances: answers.filter((answer) => answer instanceof JwtAuthError).length,
})
