export default { template: `<div class="w-card w-empty"></div>` };
