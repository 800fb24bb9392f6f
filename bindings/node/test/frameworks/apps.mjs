// The same application for each framework, on a real server. Every route but `/public` and `/optional` needs a grant.
//
// `verifiers` has the verifier of most routes, and further ones by the name of their route. The routes of `MISTAKES` have that of
// most routes, and an integration of their own. A handler answers with the name of the caller, or null without a grant.
import { once } from 'node:events'
import { createServer } from 'node:http'

import 'reflect-metadata'
import { serve } from '@hono/node-server'
import { Controller, Get, Module, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'

import { jwtAuth as expressAuth } from 'jwtauth/express'
import { jwtAuth as fastifyAuth } from 'jwtauth/fastify'
import { jwtAuth as honoAuth } from 'jwtauth/hono'
import { jwtAuth as koaAuth } from 'jwtauth/koa'
import { CurrentGrant, jwtAuth as nestAuth } from 'jwtauth/nestjs'

/** What the routes require in addition to a grant. */
export const REQUIREMENTS = {
  '/deploy': { policy: 'deploy' },
  '/admin': { role: 'admin' },
  '/staff': { group: ['engineering', 'staff'] },
  '/both': { policy: 'deploy', group: 'staff' },
}

const OPTIONS = { realm: 'test', retryAfter: 7 }

/** Options with a mistake of the program that only a request shows. */
export const MISTAKES = {
  'wrong-profile': { profile: '\ud800' },
  'wrong-address': { remoteAddr: () => 7 },
  'no-address': { remoteAddr: () => { throw new Error('the address cannot be read') } },
}

/** The integrations of the routes that have one of their own. */
function own(jwtAuth, { main, ...others }) {
  return [
    ...Object.entries(others).map(([name, verifier]) => [`/${name}`, jwtAuth(verifier, OPTIONS)]),
    ...Object.entries(MISTAKES).map(([name, options]) => [`/${name}`, jwtAuth(main, { ...OPTIONS, ...options })]),
  ]
}

export const APPS = {
  express: startExpress,
  fastify: startFastify,
  hono: startHono,
  koa: startKoa,
  nestjs: (verifiers) => startNest(verifiers),
  'nestjs on fastify': (verifiers) => startNest(verifiers, new FastifyAdapter()),
}

async function startExpress(verifiers) {
  const reached = []
  const app = express()
  const handle = (request, response) => {
    reached.push(request.originalUrl)
    response.json({ name: request.auth?.identity.name ?? null })
  }
  const auth = expressAuth(verifiers.main, OPTIONS)
  app.get('/public', handle)
  app.get('/optional', auth.optional, handle)
  for (const [path, other] of own(expressAuth, verifiers)) app.all(path, other, handle)
  app.use(auth)
  // Installed twice, which changes nothing.
  app.use(auth)
  app.all('/me', handle)
  for (const [path, names] of Object.entries(REQUIREMENTS)) app.get(path, auth.requires(names), handle)
  const mounted = express.Router()
  mounted.get('/me', handle)
  app.use('/mounted', mounted)
  // A careless handler of errors, which must not turn a refusal into anything else.
  app.use((error, request, response, next) => void response.json({ name: 'swallowed' }))
  return { reached, ...(await listening(createServer(app))) }
}

async function startFastify(verifiers) {
  const reached = []
  const app = fastify()
  const handle = async (request) => {
    reached.push(request.url)
    return { name: request.auth?.identity.name ?? null }
  }
  app.setErrorHandler(async () => ({ name: 'swallowed' }))
  const auth = fastifyAuth(verifiers.main, OPTIONS)
  await app.register(async (open) => {
    open.get('/public', handle)
    open.get('/optional', { onRequest: auth.optional }, handle)
    for (const [path, other] of own(fastifyAuth, verifiers)) open.all(path, { onRequest: other.requires() }, handle)
  })
  await app.register(async (closed) => {
    await closed.register(auth)
    await closed.register(auth)
    closed.all('/me', handle)
    for (const [path, names] of Object.entries(REQUIREMENTS)) closed.get(path, { onRequest: auth.requires(names) }, handle)
    await closed.register(async (mounted) => mounted.get('/me', handle), { prefix: '/mounted' })
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { reached, url: `http://127.0.0.1:${app.server.address().port}`, close: () => app.close() }
}

async function startKoa(verifiers) {
  const reached = []
  const app = new Koa()
  app.on('error', () => {})
  const auth = koaAuth(verifiers.main, OPTIONS)
  // The protection of each path; Koa has no router of its own.
  const steps = { '/public': [], '/optional': [auth.optional] }
  for (const [path, other] of own(koaAuth, verifiers)) steps[path] = [other]
  for (const [path, names] of Object.entries(REQUIREMENTS)) steps[path] = [auth, auth.requires(names)]
  app.use(async (context) => {
    const handle = async () => {
      reached.push(context.url)
      context.body = { name: context.state.auth?.identity.name ?? null }
    }
    const chain = (steps[context.path] ?? [auth, auth]).reduceRight((next, step) => () => step(context, next), handle)
    await chain()
  })
  return { reached, ...(await listening(createServer(app.callback()))) }
}

async function startHono(verifiers) {
  const reached = []
  const app = new Hono()
  const handle = (context) => {
    reached.push(context.req.path)
    return context.json({ name: context.var.auth?.identity.name ?? null })
  }
  app.onError((error, context) => context.json({ name: 'swallowed' }))
  const auth = honoAuth(verifiers.main, OPTIONS)
  app.get('/public', handle)
  app.get('/optional', auth.optional, handle)
  for (const [path, other] of own(honoAuth, verifiers)) app.all(path, other, handle)
  app.use(auth)
  app.use(auth)
  app.all('/me', handle)
  for (const [path, names] of Object.entries(REQUIREMENTS)) app.get(path, auth.requires(names), handle)
  const mounted = new Hono()
  mounted.get('/me', handle)
  app.route('/mounted', mounted)
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
  if (!server.listening) await once(server, 'listening')
  return { reached, ...addressed(server) }
}

async function startNest(verifiers, adapter) {
  const reached = []
  const auth = nestAuth(verifiers.main, OPTIONS)
  class Routes {}
  Controller()(Routes)
  const route = (path, decorators, method = Get) => {
    const name = `${method === Get ? 'get' : 'post'} ${path}`
    Routes.prototype[name] = function handle(grant) {
      reached.push(path)
      return { name: grant?.identity.name ?? null }
    }
    CurrentGrant()(Routes.prototype, name, 0)
    const descriptor = Object.getOwnPropertyDescriptor(Routes.prototype, name)
    for (const decorate of [method(path), ...decorators]) decorate(Routes.prototype, name, descriptor)
  }
  route('/public', [auth.Public()])
  route('/me', [])
  route('/me', [], Post)
  route('/mounted/me', [])
  for (const [path, names] of Object.entries(REQUIREMENTS)) route(path, [auth.Requires(names)])
  // Public for the guard of `main`, and protected by another one.
  for (const [path, other] of own(nestAuth, verifiers)) route(path, [auth.Public(), other.Requires()])
  class App {}
  Module({ controllers: [Routes] })(App)
  const app = await NestFactory.create(App, ...(adapter === undefined ? [] : [adapter]), { logger: false })
  app.useGlobalGuards(auth.guard)
  await app.listen(0, '127.0.0.1')
  return { reached, url: `http://127.0.0.1:${app.getHttpServer().address().port}`, close: () => app.close() }
}

async function listening(server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return addressed(server)
}

function addressed(server) {
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${server.address().port}`, close }
}
