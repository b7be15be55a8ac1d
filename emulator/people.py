"""What the emulated buyers are called and what they write, in the languages of their markets."""

from __future__ import annotations

from random import Random

# ruff: noqa: RUF001
_NAMES: dict[str, tuple[str, ...]] = {
    "en": ("Olivia Hart", "Noah Price", "Ava Bennett", "Liam Foster", "Mia Cole", "Ethan Ward", "Zoe Lane", "Max Dunn"),
    "id": ("Siti Rahma", "Budi Santoso", "Dewi Lestari", "Agus Wijaya", "Putri Ayu", "Rizki Ramadhan"),
    "th": ("สมชาย ใจดี", "มาลี ศรีสุข", "วิชัย แก้วมณี", "นภา ทองดี", "อรุณ สุขใจ"),
    "ms": ("Aisyah Binti Omar", "Farid Hassan", "Nur Huda", "Hafiz Rahman"),
    "es": ("Lucía Gómez", "Mateo Fernández", "Valentina Ruiz", "Santiago Díaz", "Camila Torres"),
    "pt": ("João Silva", "Mariana Costa", "Beatriz Lima", "Rafael Souza", "Larissa Alves"),
    "de": ("Lena Vogel", "Jonas Kühn", "Clara Böhm", "Paul Sommer"),
    "ja": ("佐藤 美咲", "鈴木 大輔", "高橋 由美", "田中 翔"),
    "zh": ("王小美", "李建国", "陈思远", "林佳怡"),
}
_ASKS: dict[str, tuple[str, ...]] = {
    "en": (
        "Hello, has order {order} left your warehouse yet?",
        "Is the grey one coming back in stock?",
        "The zip on my jacket broke after two days, what can we do?",
        "Could you add a gift note to {order}?",
        "My voucher shows as invalid at checkout",
        "Do you ship to the islands too, and what does it cost?",
    ),
    "id": (
        "Kak, pesanan {order} sudah dikirim belum?",
        "Ready stok warna abu-abu kak?",
        "Barangnya sampai tapi kotaknya penyok, gimana ya?",
        "Bisa COD ke Makassar tidak kak?",
        "Tolong kirim hari ini ya, buat kado 🙏",
    ),
    "th": (
        "ออเดอร์ {order} ส่งหรือยังคะ",
        "มีสีเทาไหมครับ",
        "ของมาถึงแล้วแต่กล่องบุบ ทำยังไงดีคะ",
        "ส่งด่วนวันนี้ได้ไหมครับ 🙏",
    ),
    "ms": (
        "Salam, order {order} dah pos ke belum?",
        "Warna kelabu masih ada?",
        "Barang sampai tapi skrin retak, boleh tukar?",
    ),
    "es": (
        "Hola, ¿ya salió el pedido {order}?",
        "¿Tienen el talle M en gris?",
        "Me llegó roto, ¿qué hago? Adjunto foto",
        "¿Hacen factura A?",
    ),
    "pt": (
        "Oi, o pedido {order} já foi enviado?",
        "Ainda tem o cinza tamanho M?",
        "Chegou com defeito, como faço a troca?",
        "Vocês entregam em Manaus?",
    ),
    "de": (
        "Guten Tag, ist die Bestellung {order} schon unterwegs?",
        "Gibt es die graue Jacke bald wieder in Größe M?",
        "Das Paket kam beschädigt an, was nun?",
    ),
    "ja": (
        "注文 {order} はもう発送されましたか？",
        "グレーのMサイズは再入荷しますか？",
        "届いた商品に傷がありました。交換できますか？",
    ),
    "zh": ("订单 {order} 发货了吗？", "灰色的还有货吗？", "收到的时候盒子压坏了，怎么处理？"),
}
_PARCELS: dict[str, str] = {
    "en": "My parcel {parcel} has not moved for days, where is it?",
    "id": "No resi {parcel} kok belum bergerak ya kak?",
    "th": "เลขพัสดุ {parcel} ไม่ขยับเลยค่ะ",
    "ms": "Parcel {parcel} tak bergerak, kat mana?",
    "es": "El número de seguimiento {parcel} no se mueve, ¿dónde está?",
    "pt": "O código de rastreio {parcel} não anda, onde está?",
    "de": "Die Sendungsnummer {parcel} bewegt sich nicht, wo ist das Paket?",
    "ja": "追跡番号 {parcel} が動いていません。どこですか？",
    "zh": "快递单号 {parcel} 好几天没更新了，到哪了？",
}
_THANKS: dict[str, tuple[str, ...]] = {
    "en": ("Perfect, thank you!", "Okay, and how long will that take?", "Great, thanks for the quick answer 😊"),
    "id": ("Oke kak makasih 🙏", "Siap, ditunggu ya kak"),
    "th": ("ขอบคุณค่ะ", "โอเคครับ รอนะครับ"),
    "ms": ("Terima kasih!", "Ok, saya tunggu ya"),
    "es": ("¡Muchas gracias!", "Dale, ¿y cuánto tarda?"),
    "pt": ("Obrigada!", "Certo, e quanto tempo demora?"),
    "de": ("Vielen Dank!", "Alles klar, danke für die schnelle Antwort"),
    "ja": ("ありがとうございます！", "承知しました。よろしくお願いします"),
    "zh": ("好的，谢谢！", "那大概要多久？"),
}


def named(language: str, number: int) -> str:
    """The name of the buyer of that number."""
    names = _NAMES.get(language, _NAMES["en"])
    round_, index = divmod(number, len(names))
    return names[index] if not round_ else f"{names[index]} {round_ + 1}"


def asked(rng: Random, language: str, order: str) -> str:
    """What a buyer writes first."""
    return rng.choice(_ASKS.get(language, _ASKS["en"])).replace("{order}", order)


def asked_for_order(rng: Random, language: str, order: str) -> str:
    """What a buyer writes first who asks for an order."""
    some = [text for text in _ASKS.get(language, _ASKS["en"]) if "{order}" in text]
    return rng.choice(some).replace("{order}", order)


def asked_for_parcel(language: str, parcel: str) -> str:
    """What a buyer writes whose parcel does not come."""
    return _PARCELS.get(language, _PARCELS["en"]).replace("{parcel}", parcel)


def thanked(rng: Random, language: str) -> str:
    """What a buyer writes when the shop has answered."""
    return rng.choice(_THANKS.get(language, _THANKS["en"]))
