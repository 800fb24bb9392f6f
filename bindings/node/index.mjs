// Exports the same classes as `require('jwtauth')`, so that `instanceof` works across both module styles.
import jwtauth from './index.js'

export const { Explanation, FetchError, Grant, JwtAuthError, Login, SessionInfo, Sessions, Verifier, version } = jwtauth
