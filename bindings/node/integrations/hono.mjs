import hono from './hono.js'

export const { jwtAuth } = hono
