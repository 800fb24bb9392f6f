// Preloaded into the programs of the pages: they listen on a free port of loopback, and report it.
import { Server } from 'node:net'

const { listen } = Server.prototype
Server.prototype.listen = function (...args) {
  const callback = args.findLast((argument) => typeof argument === 'function')
  this.once('listening', () => process.send(this.address().port))
  return listen.call(this, { host: '127.0.0.1', port: 0 }, ...(callback === undefined ? [] : [callback]))
}
