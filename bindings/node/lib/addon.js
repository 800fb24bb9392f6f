'use strict'

const platforms = require('./platforms.json')

/**
 * The addon for this machine: next to index.js in a checkout, in a package of its own after an installation. Linux has two C
 * libraries; npm installs only the package for that of the machine, and an addon for the other one does not load.
 */
function load() {
  const machine = `${process.platform}-${process.arch}`
  const builds = process.platform === 'linux' ? [`${machine}-gnu`, `${machine}-musl`] : [machine]
  const causes = []
  for (const build of builds) {
    for (const place of [`../jwtauth.${build}.node`, `@jwtauth/${build}`]) {
      try {
        return require(place)
      } catch (cause) {
        causes.push(cause)
      }
    }
  }
  throw new AggregateError(causes, `jwtauth has no addon that loads on ${machine}: ${advice(builds, causes)}`)
}

function advice(builds, causes) {
  const broken = causes.find(({ code }) => code !== 'MODULE_NOT_FOUND')
  if (broken) return broken.message
  const names = platforms.map(({ name }) => name)
  const packages = builds.filter((build) => names.includes(build)).map((build) => `@jwtauth/${build}`)
  const checkout = 'in a checkout, run "npm run build"'
  if (packages.length === 0) return `the platform is not supported; there are addons for ${names.join(', ')}; ${checkout}`
  return `the package ${packages.join(' or ')} is not installed; install jwtauth again without --omit=optional; ${checkout}`
}

module.exports = load()
