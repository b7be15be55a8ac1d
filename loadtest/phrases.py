"""What customers and agents of the simulated shops say, in ten languages. `{order}` is an order number."""

from __future__ import annotations

CUSTOMER: dict[str, tuple[str, ...]] = {
    "en": (
        "Hi, where is my parcel {order}? The tracking page has not moved for two days",
        "Do you still have the blue one in size M?",
        "Can I change the delivery address of {order} please",
        "The discount from the banner is not applied at checkout",
        "I received the wrong colour, what should I do now?",
        "Is the charger included or do I have to buy it separately?",
        "Thanks, that worked!",
        "How long does a refund take? Order {order}",
    ),
    "zh": (
        "你好,请问订单 {order} 什么时候可以发货?",
        "这个颜色还有现货吗?我想要两件",
        "优惠券为什么用不了,页面提示不满足条件",
        "收到的商品有一个角破损了,可以补发吗",
        "可以帮我修改一下收货地址吗?",
        "请问这款支持七天无理由退货吗",
        "好的,麻烦尽快处理,谢谢",
    ),
    "th": (
        "สวัสดีค่ะ คำสั่งซื้อ {order} จะส่งเมื่อไหร่คะ",
        "สีดำยังมีของไหมครับ อยากได้สองชิ้น",
        "ใช้โค้ดส่วนลดไม่ได้ค่ะ ช่วยดูให้หน่อย",
        "ของที่ได้รับแตกเสียหาย ขอคืนเงินได้ไหม",
        "ขอเปลี่ยนที่อยู่จัดส่งได้ไหมคะ",
        "ส่งต่างจังหวัดใช้เวลากี่วันครับ",
    ),
    "id": (
        "Halo kak, pesanan {order} kapan dikirim ya?",
        "Warna hitam ukuran L masih ada stok?",
        "Voucher saya kok tidak bisa dipakai",
        "Barang yang datang salah ukuran, bisa ditukar?",
        "Mohon alamat pengiriman {order} diganti ya kak",
        "Kalau pesan hari ini sampai kapan?",
    ),
    "vi": (
        "Shop ơi, đơn {order} bao giờ giao vậy?",
        "Mẫu này còn màu trắng size S không ạ?",
        "Mã giảm giá của mình không áp dụng được",
        "Mình nhận hàng bị thiếu một món, shop kiểm tra giúp",
        "Cho mình đổi địa chỉ nhận hàng được không?",
        "Phí vận chuyển về Đà Nẵng là bao nhiêu ạ",
    ),
    "ja": (
        "注文番号 {order} の配送状況を教えてください",
        "この商品の在庫はまだありますか?",
        "クーポンが適用されないのですが、どうすればよいですか",
        "届いた商品に傷がありました。交換できますか?",
        "届け先の住所を変更したいです",
        "領収書の発行をお願いできますでしょうか",
    ),
    "ko": (
        "주문번호 {order} 배송이 언제 시작되나요?",
        "검정색 M 사이즈 재고 있나요?",
        "할인 쿠폰이 적용되지 않아요",
        "받은 상품이 불량이라 교환하고 싶습니다",
        "배송지를 변경할 수 있을까요?",
        "현금영수증 발급 부탁드립니다",
    ),
    "es": (
        "Hola, ¿cuándo llega mi pedido {order}?",
        "¿Todavía queda la talla 42 en rojo?",
        "El cupón no funciona al pagar, ¿me ayudan?",
        "Me llegó un artículo roto y quiero devolverlo",
        "Necesito la factura del pedido {order} por favor",
        "¿Hacen envíos a las islas?",
    ),
    "pt": (
        "Oi, meu pedido {order} ainda não saiu para entrega",
        "Vocês têm esse modelo na cor verde?",
        "O cupom da promoção não está funcionando",
        "Recebi o produto errado, como faço a troca?",
        "Posso retirar na loja em vez de receber em casa?",
        "Qual é o prazo de entrega para Recife?",
    ),
    "de": (
        "Guten Tag, wann wird meine Bestellung {order} verschickt?",
        "Ist der Artikel auch in Größe 44 lieferbar?",
        "Der Gutschein wird an der Kasse nicht angenommen",
        "Das Paket kam beschädigt an, ich möchte es zurückgeben",
        "Könnten Sie bitte die Lieferadresse ändern?",
        "Ich brauche eine Rechnung mit ausgewiesener Steuer",
    ),
}

AGENT: dict[str, tuple[str, ...]] = {
    "en": (
        "Thank you for writing to us, I am looking into {order} right now",
        "It left our warehouse this morning, you will get the tracking number shortly",
        "I am sorry about that. A replacement is on its way",
        "The refund has been started and takes three to five working days",
        "Yes, it is in stock and ships today",
        "Is there anything else I can do for you?",
    ),
    "zh": (
        "您好,已收到您的咨询,正在为您核实 {order}",
        "亲,这款今天下单今天就能发出",
        "非常抱歉给您带来不便,马上为您安排补发",
        "退款已提交,预计三到五个工作日到账",
        "地址已经帮您修改好了,请放心",
    ),
}

BOT = "We have received your message, an agent will answer you shortly. / 已收到您的消息,客服稍后回复"

NAMES: dict[str, tuple[str, ...]] = {
    "en": ("Alex P.", "Jamie L.", "Robin W.", "Sam K."),
    "zh": ("小陈", "晓雯", "阿杰", "李女士"),
    "th": ("น้ำฝน", "สมชาย", "มาลี"),
    "id": ("Dewi", "Budi S.", "Rina"),
    "vi": ("Minh Anh", "Thảo", "Quang"),
    "ja": ("さくら", "田中", "ゆうた"),
    "ko": ("민지", "준호", "서연"),
    "es": ("Lucía", "Mateo", "Carmen R."),
    "pt": ("João", "Beatriz", "Rafael"),
    "de": ("Jonas", "Anke", "Petra M."),
}
