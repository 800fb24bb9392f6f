import koa from './koa.js'

export const { jwtAuth } = koa
