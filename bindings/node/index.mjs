// The same classes as `require('jwtauth')` gives, so that `instanceof` holds across both module styles.
import jwtauth from './index.js'

export const { FetchError, Grant, JwtAuthError, Verifier, version } = jwtauth
