/** Calls while every object inherits these members, as after an attack on a program that merges objects carelessly. */
export async function inherited(members, call) {
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true })
  }
  try {
    return await call()
  } finally {
    for (const name of Object.keys(members)) delete Object.prototype[name]
  }
}
