// Decides with the installed package, and prints where: the token of RFC 7515, A.3, is granted, and a forged one is denied.
'use strict'

const assert = require('node:assert/strict')
const { mkdtempSync, readFileSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')

const { Sessions, Verifier, version } = require('jwtauth')

const { good, forged } = JSON.parse(readFileSync(join(__dirname, 'tokens.json')))
const config = JSON.parse(readFileSync(join(__dirname, 'config.json')))

const verifier = new Verifier(config)
assert.equal(verifier.authenticateSync(good).identity.name, 'joe')
assert.throws(() => verifier.authenticateSync(forged), { code: 'signature_invalid' })

// The store in SQLite is C code in the package.
const folder = mkdtempSync(join(tmpdir(), 'jwtauth-'))
const sessions = new Sessions({ ...config, sessions: { store: { sqlite: { path: join(folder, 'sessions.db') } } } })
const login = sessions.loginSync(good)
assert.equal(sessions.authorizeSync(login.token).identity.name, 'joe')
rmSync(folder, { recursive: true })

console.log(`Node ${process.versions.node}, jwtauth ${version}`)
