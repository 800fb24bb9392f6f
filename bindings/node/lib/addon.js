'use strict'

/** The addon for this machine. Linux has two C libraries; an addon for the other one does not load. */
function load() {
  const machine = `${process.platform}-${process.arch}`
  const builds = process.platform === 'linux' ? [`${machine}-gnu`, `${machine}-musl`] : [machine]
  const causes = []
  for (const build of builds) {
    try {
      return require(`../jwtauth.${build}.node`)
    } catch (cause) {
      causes.push(cause)
    }
  }
  throw new AggregateError(causes, `jwtauth has no addon that loads on ${machine}; in a checkout, run "npm run build"`)
}

module.exports = load()
