// Compiled, never run: the integrations from a CommonJS module.
import express = require('express')
import jwtauth = require('jwtauth')
import expressAuth = require('jwtauth/express')
import fastifyAuth = require('jwtauth/fastify')
import koaAuth = require('jwtauth/koa')

const verifier = new jwtauth.Verifier('{}')
const auth: expressAuth.JwtAuth = expressAuth.jwtAuth(verifier)
export const app = express().use(auth).use(auth.requires({ role: 'editor' }))
export const plugin: fastifyAuth.JwtAuth = fastifyAuth.jwtAuth(verifier)
export const middleware: koaAuth.JwtAuth = koaAuth.jwtAuth(verifier)
