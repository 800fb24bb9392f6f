// Compiled, never run: the same package from a CommonJS module.
import jwtauth = require('jwtauth')

const verifier = new jwtauth.Verifier('{}')

export function decide(token: string): jwtauth.Grant | jwtauth.JwtAuthError {
  try {
    return verifier.authenticateSync({ token })
  } catch (error) {
    if (error instanceof jwtauth.JwtAuthError) return error
    throw error
  }
}

export const later: Promise<jwtauth.Grant> = verifier.authenticate({ token: 'x', profile: 'ci' })

// @ts-expect-error: the promise of a grant is not a grant
export const now: jwtauth.Grant = verifier.authenticate({ token: 'x' })

export const login: jwtauth.Login = new jwtauth.Sessions('{}').loginSync('x')
export const session: Promise<jwtauth.SessionInfo> = new jwtauth.Sessions('{}').authorize(login.token)
