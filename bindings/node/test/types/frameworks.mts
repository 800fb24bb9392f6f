// Compiled, never run: the integrations with the types of each framework, from an ES module.
import { Controller, Get, type CanActivate } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'

import { type Grant, Verifier } from 'jwtauth'
import { jwtAuth as expressAuth } from 'jwtauth/express'
import { jwtAuth as fastifyAuth } from 'jwtauth/fastify'
import { type AuthEnv, type OptionalAuthEnv, jwtAuth as honoAuth } from 'jwtauth/hono'
import { type AuthState, jwtAuth as koaAuth } from 'jwtauth/koa'
import { CurrentGrant, jwtAuth as nestAuth } from 'jwtauth/nestjs'
import type { Requirement } from 'jwtauth/express'

const verifier = new Verifier<{ readonly plan: string }>('{}')
const editors: Requirement = { role: ['editor', 'admin'], group: 'staff' }

export const inExpress = express()
const forExpress = expressAuth(verifier, { realm: 'api', remoteAddr: (request) => request.ip })
inExpress.use(forExpress)
inExpress.use('/mounted', forExpress.optional)
inExpress.get('/', forExpress.requires(editors), (request, response) => {
  const grant: Grant | undefined = request.auth
  response.json({ name: grant?.identity.name })
  // @ts-expect-error: there may be no grant
  request.auth.identity
})

export const inFastify = fastify()
const forFastify = fastifyAuth(verifier, { retryAfter: 1, remoteAddr: (request) => request.ip })
await inFastify.register(forFastify)
inFastify.get('/', { onRequest: forFastify.requires({ policy: 'read' }) }, async (request) => request.auth?.identity.name)
inFastify.get('/optional', { onRequest: forFastify.optional }, async (request) => request.auth?.has('role', 'editor'))

export const inKoa = new Koa<AuthState>()
const forKoa = koaAuth(verifier, { remoteAddr: (context) => context.ip })
inKoa.use(forKoa).use(forKoa.requires(editors)).use(forKoa.optional)
inKoa.use((context) => {
  const grant: Grant | undefined = context.state.auth
  context.body = grant?.identity.groups
})

export const inHono = new Hono<AuthEnv>()
const forHono = honoAuth(verifier, { remoteAddr: (context) => context.req.header('x-real-ip') })
inHono.use(forHono)
inHono.get('/', forHono.requires({ entitlement: { kind: 'service', name: 'web' } }), (context) => {
  const grant: Grant = context.get('auth')
  return context.json(grant.toJSON())
})
export const optional = new Hono<OptionalAuthEnv>().get('/', forHono.optional, (context) => {
  // @ts-expect-error: there may be no grant
  return context.text(context.var.auth.profile ?? '')
})
// The type of a route knows its middleware.
new Hono().get('/', forHono, (context) => context.text(context.var.auth.identity.name ?? ''))

const forNest = nestAuth(verifier, { profile: 'web', remoteAddr: (request) => request.ip })
export const guard: CanActivate = forNest.guard

@Controller('reports')
@forNest.Requires({ group: 'staff' })
export class Reports {
  @Get()
  @forNest.Public()
  list(): string[] {
    return []
  }

  @Get('mine')
  @forNest.Requires(editors)
  mine(@CurrentGrant() grant: Grant): string | undefined {
    return grant.identity.name
  }
}
export const inNest = (await NestFactory.create(Reports)).useGlobalGuards(forNest.guard)

// @ts-expect-error: no such requirement
forExpress.requires({ rol: 'editor' })
// @ts-expect-error: a setting that may be absent
forExpress.requires({ role: process.env['ROLE'] })
// @ts-expect-error: no such kind
forKoa.requires({ entitlement: { kind: 'rolle', name: 'editor' } })
// @ts-expect-error: no such option
fastifyAuth(verifier, { optional: true })
// @ts-expect-error: a configuration is not a verifier
honoAuth({ dialect: 'native', config: {} })
