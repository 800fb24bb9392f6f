// Hooks for imports: the packages of test/oldest take the place of those of the same names in this package's node_modules.
import { readFileSync } from 'node:fs'

const oldest = new URL('../oldest/package.json', import.meta.url)
const names = Object.keys(JSON.parse(readFileSync(oldest, 'utf8')).dependencies)

export function resolve(specifier, context, next) {
  const isOldest = names.some((name) => specifier === name || specifier.startsWith(`${name}/`))
  const isInside = context.parentURL?.includes('/node_modules/')
  return next(specifier, isOldest && !isInside ? { ...context, parentURL: oldest.href } : context)
}
