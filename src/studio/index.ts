/** The room `studio`: the local page's server; the page itself lies in `page` and is built apart. */
export { type Studio, type StudioOptions, startStudio } from "./server/index.ts";
