import parts from './nestjs-parts.js'

const common = await import('@nestjs/common').catch((cause) => {
  throw parts.needed(cause)
})

export const { CurrentGrant, jwtAuth } = parts.integration(common)
