import express from './express.js'

export const { jwtAuth } = express
