// Run by sessions.test.mjs and sessions-shared.test.mjs in a separate process or thread: node session-parts.mjs PART CONFIG …
import { once } from 'node:events'
import { createServer } from 'node:net'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

const [part, config, ...given] = workerData ?? process.argv.slice(2)

switch (part) {
  // Uses a token several times at the same time: prints how many uses passed, and the codes of the others.
  case 'spend': {
    const { Sessions } = await import('jwtauth')
    const [token, uses] = given
    const sessions = new Sessions(config)
    const outcomes = await Promise.all(
      Array.from({ length: Number(uses) }, () => sessions.authorize(token).then(() => 'passed', ({ code }) => code)),
    )
    const passed = outcomes.filter((outcome) => outcome === 'passed').length
    const result = JSON.stringify([passed, ...new Set(outcomes.filter((outcome) => outcome !== 'passed'))])
    if (isMainThread) console.log(result)
    else parentPort.postMessage(result)
    break
  }
  // Ends when the promise, which is not awaited, has its result.
  case 'unawaited': {
    const { Sessions } = await import('jwtauth')
    process.once('beforeExit', () => console.log('nothing is left'))
    void new Sessions(config).login(given[0]).then(({ session }) => console.log(session.subject))
    break
  }
  // Ends a thread whose calls wait for a store that does not respond. Only that thread has loaded the addon.
  case 'ended': {
    const sockets = []
    const server = createServer((socket) => sockets.push(socket.on('error', () => {})))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address()
    const settings = JSON.parse(config)
    settings.sessions.store.redis.url = `redis://127.0.0.1:${port}`
    const worker = new Worker(new URL(import.meta.url), { workerData: ['wait', JSON.stringify(settings)] })
    await once(server, 'connection')
    await worker.terminate()
    // Now the calls of the thread end, and their results have no receiver.
    server.close(() => console.log('ended'))
    server.on('connection', (socket) => socket.destroy())
    for (const socket of sockets) socket.destroy()
    break
  }
  case 'wait': {
    const { Sessions } = await import('jwtauth')
    const sessions = new Sessions(config)
    await Promise.all(Array.from({ length: 20 }, () => sessions.authorize('jas.unknown')))
    break
  }
}
