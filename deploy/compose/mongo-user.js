// Weir's own user: it may do everything with its database and nothing else. Run once, when the data folder is made.
db.getSiblingDB("weir").createUser({
  user: "weir",
  pwd: process.env.MONGO_WEIR_PASSWORD,
  roles: [
    { role: "readWrite", db: "weir" },
    { role: "dbAdmin", db: "weir" },
  ],
});
