// Prints the package.json of a package for npm, or what one contains.
//   node packaging/npm.mjs platform NAME     of the addon for a platform
//   node packaging/npm.mjs main NAME...      of `jwtauth`, which has these addons as optional packages of the same version
//   node packaging/npm.mjs sbom NAME...      the SBOM of `jwtauth` in CycloneDX: it has no code of others, and depends on the addons
import { readFileSync } from 'node:fs'

const read = (path) => JSON.parse(readFileSync(new URL(`../bindings/node/${path}`, import.meta.url)))
const manifest = read('package.json')
const platforms = read('lib/platforms.json')
const [kind, ...names] = process.argv.slice(2)

const platform = (name) => {
  const found = platforms.find((one) => one.name === name)
  if (!found) throw new Error(`${name} is not in bindings/node/lib/platforms.json`)
  return found
}

function addon(name) {
  const { os, cpu, libc } = platform(name)
  const { version, author, license, engines } = manifest
  const main = `jwtauth.${name}.node`
  const description = `The addon of jwtauth for ${name}`
  return { name: `@jwtauth/${name}`, version, description, author, license, engines, os: [os], cpu: [cpu], libc: [libc], main, files: [main, 'sbom.cdx.json'] }
}

function main(names) {
  const { devDependencies, scripts, ...published } = manifest
  const files = [...manifest.files.filter((file) => !file.endsWith('.node')), 'sbom.cdx.json']
  const optionalDependencies = Object.fromEntries(names.map((name) => [`@jwtauth/${platform(name).name}`, manifest.version]))
  return { ...published, files, optionalDependencies }
}

function sbom(names) {
  const { version } = manifest
  const component = (name, purl) => ({ type: 'library', 'bom-ref': purl, name, version, licenses: [{ expression: manifest.license }], purl })
  const own = component('jwtauth', `pkg:npm/jwtauth@${version}`)
  const addons = names.map((name) => ({ ...component(`@jwtauth/${platform(name).name}`, `pkg:npm/%40jwtauth/${name}@${version}`), scope: 'optional' }))
  const dependencies = [{ ref: own['bom-ref'], dependsOn: addons.map((one) => one['bom-ref']) }]
  return { bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, metadata: { component: own }, components: addons, dependencies }
}

const printed = { main: () => main(names), platform: () => addon(...names), sbom: () => sbom(names) }[kind]
console.log(JSON.stringify(printed(), null, 2))
