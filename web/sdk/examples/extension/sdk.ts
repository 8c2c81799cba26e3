// In an extension of your own this is "@presence-hub/sdk/extension"; here it is what is being worked on.
export * from "../../src/extension/index.js";
