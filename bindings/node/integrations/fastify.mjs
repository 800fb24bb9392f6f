import fastify from './fastify.js'

export const { jwtAuth } = fastify
