import { readFileSync } from 'node:fs'

const NAMES = 'js|mjs|cjs|jsx|javascript|ts|mts|cts|tsx|typescript'
const BLOCK = new RegExp(`^[ >]*(?:\`\`\`|~~~) *(${NAMES})\\b.*\\n([^]*?)^[ >]*(?:\`\`\`|~~~) *$`, 'gim')

/** The programs in JavaScript and TypeScript that a page shows, in their order. */
export function programs(page) {
  return [...readFileSync(page, 'utf8').matchAll(BLOCK)].map(([, language, code]) => ({ language, code }))
}
