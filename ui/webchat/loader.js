// What shops embed: loads the widget of this version, which browsers may keep for ever.
(function (page) {
  "use strict";
  var own = page.currentScript;
  if (!own || page.getElementById("weir-chat-script")) return;
  var widget = page.createElement("script");
  widget.id = "weir-chat-script";
  widget.async = true;
  if (own.nonce) widget.nonce = own.nonce;
  for (var name in own.dataset) widget.dataset[name] = own.dataset[name];
  widget.src = own.src.replace(/widget\.js.*$/, "weir-chat.js?v=VERSION");
  page.head.appendChild(widget);
})(document);
