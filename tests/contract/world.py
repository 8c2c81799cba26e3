"""The people of the contract's hub, and the ids that requests are about."""

ORGANIZATION = "0a000000-0000-4000-8000-000000000001"
ACCOUNT = "0c000000-0000-4000-8000-000000000001"
WEDDING = "0d000000-0000-4000-8000-000000000001"
OWNER = "0e000000-0000-4000-8000-000000000001"
ASSISTANT = "0e000000-0000-4000-8000-000000000002"
SUPPLIER = "0e000000-0000-4000-8000-000000000003"
CLIENT = "0e000000-0000-4000-8000-000000000004"
STRANGER = "0e000000-0000-4000-8000-000000000005"

USERS = [OWNER, ASSISTANT, SUPPLIER, CLIENT, STRANGER]
# What a back-end writes and removes, so that the others stay.
SCRATCH = [f"0f000000-0000-4000-8000-00000000000{n}" for n in range(4)]

DOCUMENT = {
    "users": [
        {"id": user, "displayName": name}
        for user, name in [
            (OWNER, "Olga Owner"),
            (ASSISTANT, "Ada Assistant"),
            (SUPPLIER, "Sam Supplier"),
            (CLIENT, "Cleo Client"),
            (STRANGER, "Stan Stranger"),
        ]
    ],
    "organizations": [
        {
            "id": ORGANIZATION,
            "name": "Agency",
            "plan": "enterprise",
            "members": [
                {"user": OWNER, "role": "owner"},
                {"user": ASSISTANT, "role": "member"},
                {"user": SUPPLIER, "role": "member"},
            ],
            "accounts": [{"id": ACCOUNT, "name": "Front desk"}],
        }
    ],
    "weddings": [
        {
            "id": WEDDING,
            "name": "June",
            "collaborations": [
                {"supplier": SUPPLIER, "client": CLIENT, "supplierType": "photographer"},
                {"supplier": OWNER, "client": CLIENT, "supplierType": "planner"},
            ],
        }
    ],
}
